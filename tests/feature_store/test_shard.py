import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from feature_store.errors import (
    InvalidRecipeError,
    InvalidRowError,
    StoreCorruptError,
    StoreVersionError,
)
from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.shard import read_shard, write_shard
from tests.builders_store import (
    CLINICAL,
    EMBEDDING,
    RECIPES,
    TEXTURE,
    clinical,
    embedding,
    texture,
)
from tests.feature_store.running import run


def test_the_same_rows_give_the_same_file_in_any_order(tmp_path: Path) -> None:
    rows = [texture("B"), texture("A"), embedding("A"), clinical("A", 61, "f", True)]
    one = write_shard(tmp_path / "one", RECIPES, rows)
    other = write_shard(tmp_path / "other", RECIPES[::-1], rows[::-1])
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


def test_the_same_rows_give_the_same_file_in_any_process(tmp_path: Path) -> None:
    names = {run("write", tmp_path, PYTHONHASHSEED=seed)[1] for seed in ("0", "1", "77")}
    assert len(names) == 1
    assert (tmp_path / "shards" / names.pop().strip()).exists()


def test_a_shard_holds_its_recipes_and_exact_values(tmp_path: Path) -> None:
    rows = [texture("A", 0.1, np.nan, -0.0), embedding("A", 0.1, np.nan)]
    shard = read_shard(write_shard(tmp_path, RECIPES, rows))
    assert shard.recipes == {r.fingerprint: r for r in (TEXTURE, EMBEDDING)}
    by_recipe = {row["fingerprint"]: row for row in shard.table.to_pylist()}
    doubles = by_recipe[TEXTURE.fingerprint]["doubles"]
    assert doubles[:2] == [0.1, None]
    assert np.signbit(doubles[2])
    assert by_recipe[EMBEDDING.fingerprint]["floats"] == [float(np.float32(0.1)), None]
    assert by_recipe[EMBEDDING.fingerprint]["doubles"] is None


def test_nothing_heavy_is_imported_before_a_shard_is_written() -> None:
    code = (
        "import sys, feature_store.shard; print({'duckdb', 'pyarrow', 'polars'} & {*sys.modules})"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout == "set()\n"


@pytest.mark.parametrize("damage", ["cut", "empty", "zeros", "flip"])
def test_a_damaged_shard_is_recognised(tmp_path: Path, damage: str) -> None:
    path = write_shard(tmp_path, RECIPES, [texture("A")])
    data = bytearray(path.read_bytes())
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    path.write_bytes(
        {"cut": data[:-7], "empty": b"", "zeros": bytes(len(data)), "flip": flipped}[damage]
    )
    with pytest.raises(StoreCorruptError, match=path.name):
        read_shard(path)


def test_a_file_with_the_right_hash_that_is_no_shard_is_recognised(tmp_path: Path) -> None:
    # SHA-256 of the empty file
    path = (
        tmp_path / f"{'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}.parquet"
    )
    path.touch()
    with pytest.raises(StoreCorruptError, match="no shard"):
        read_shard(path)


def test_a_shard_of_a_newer_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feature_store.shard.SCHEMA_VERSION", 2)
    path = write_shard(tmp_path, RECIPES, [texture("A")])
    monkeypatch.undo()
    with pytest.raises(StoreVersionError, match="version 2; this code knows up to 1"):
        read_shard(path)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "at least one row"),
        ([texture("A", 1.0, 2.0)], "2 values for the 3 columns"),
        ([texture("A"), texture("A")], "part 0 is there twice"),
        ([texture("A"), texture("A", digest="b", part=1)], "different inputs"),
        ([texture("")], "not a usable case id"),
        ([texture("A\nerror: forged")], "not a usable case id"),
        ([clinical("A", "61", "f", True)], "'61' does not belong into a column of type double"),
        ([clinical("A", 61, 1, True)], "1 does not belong into a column of type text"),
        ([clinical("A", True, "f", True)], "True does not belong"),
        ([clinical("A", 61, "f", 1)], "1 does not belong into a column of type bool"),
        ([clinical("A", float("inf"), "f", True)], "case A"),
        ([clinical("A", 61, "\ud800", True)], "case A"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, rows: list[Row], reason: str) -> None:
    with pytest.raises(InvalidRowError, match=reason):
        write_shard(tmp_path, RECIPES, rows)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_vector_given_as_text_is_refused(tmp_path: Path) -> None:
    row = Row(case_id="A", fingerprint=TEXTURE.fingerprint, input_digest="a", values=["1", 2, 3])
    with pytest.raises(InvalidRowError, match="numbers, not text"):
        write_shard(tmp_path, RECIPES, [row])


def test_a_row_needs_its_recipe(tmp_path: Path) -> None:
    with pytest.raises(InvalidRowError, match="recipe that was not given"):
        write_shard(tmp_path, [CLINICAL], [texture("A")])


def test_a_recipe_with_bad_names_is_not_written(tmp_path: Path) -> None:
    recipe = Recipe(name="a\x1b[31m", kind="k", columns=("v",))
    with pytest.raises(InvalidRecipeError, match="not a usable name"):
        write_shard(tmp_path, [recipe], [texture("A", 1.0, recipe=recipe)])


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_files_obey_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        path = write_shard(tmp_path, RECIPES, [texture("A")])
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode
