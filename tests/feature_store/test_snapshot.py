import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from feature_store.errors import (
    AmbiguousRecipeError,
    MixedRecipesError,
    NothingPublishedError,
    SeveralPartsError,
    StoreCorruptError,
    UnknownRecipeError,
)
from feature_store.recipe import Recipe
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore
from tests.builders_store import (
    CLINICAL,
    EMBEDDING,
    RECIPES,
    TEXTURE,
    clinical,
    embedding,
    fill,
    texture,
)

FINER = Recipe(
    name="texture", kind="radiomics", columns=TEXTURE.columns, parameters={"bin_width_hu": 10.0}
)


def test_a_matrix_joins_complete_cases_in_the_order_asked_for(tmp_path: Path) -> None:
    rows = [
        texture("B", 1, 2, 3),
        texture("A", 4, np.nan, 6),
        texture("C"),
        embedding("A", 0.5, 0.25),
        embedding("B", 7, 8),
        clinical("A", 61, "f", True),
        clinical("B", None, "m", False),
        clinical("C", 50, None, None),
    ]
    fill(tmp_path, rows)
    matrix = read_snapshot(tmp_path).matrix(["embedding", "texture", "clinical"])
    assert matrix.case_ids == ("A", "B")
    assert matrix.columns == (
        "embedding.e0",
        "embedding.e1",
        "texture.mean",
        "texture.spread",
        "texture.entropy",
        "clinical.age",
        "clinical.p16",
    )
    np.testing.assert_array_equal(
        matrix.values,
        [[0.5, 0.25, 4, np.nan, 6, 61, 1], [7, 8, 1, 2, 3, np.nan, 0]],
    )
    assert matrix.values.dtype == np.float64
    assert matrix.text == {"clinical.sex": ("f", "m")}
    assert matrix.incomplete == {EMBEDDING.label: ("C",)}


def test_incomplete_cases_can_be_kept_with_gaps(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A", 1, 2, 3), clinical("B", 50, "m", None)])
    matrix = read_snapshot(tmp_path).matrix(["texture", "clinical"], complete=False)
    assert matrix.case_ids == ("A", "B")
    nan = np.nan
    np.testing.assert_array_equal(matrix.values, [[1, 2, 3, nan, nan], [nan, nan, nan, 50, nan]])
    assert matrix.text["clinical.sex"] == (None, "m")
    assert matrix.incomplete == {TEXTURE.label: ("B",), CLINICAL.label: ("A",)}


def test_a_recipe_is_found_by_name_label_and_fingerprint(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A")])
    snapshot = read_snapshot(tmp_path)
    for asked in (
        "texture",
        TEXTURE.label,
        TEXTURE.fingerprint,
        f"texture@{TEXTURE.fingerprint[:4]}",
    ):
        assert snapshot.find(asked) == TEXTURE


def test_an_unknown_recipe_is_answered_with_what_there_is(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A"), embedding("A")])
    with pytest.raises(UnknownRecipeError, match=f"{EMBEDDING.label}, {TEXTURE.label}") as caught:
        read_snapshot(tmp_path).matrix(["textur"])
    assert TEXTURE.label in caught.value.__notes__[0]


def test_a_name_of_two_recipes_must_be_told_apart(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A"), texture("A", recipe=FINER)], [TEXTURE, FINER])
    with pytest.raises(AmbiguousRecipeError) as caught:
        read_snapshot(tmp_path).matrix(["texture"])
    assert TEXTURE.label in str(caught.value)
    assert FINER.label in str(caught.value)
    assert read_snapshot(tmp_path).find(FINER.label) == FINER


def test_two_fingerprints_of_one_name_never_meet_in_a_matrix(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A"), texture("A", recipe=FINER)], [TEXTURE, FINER])
    with pytest.raises(MixedRecipesError, match="one feature set made in different ways"):
        read_snapshot(tmp_path).matrix([TEXTURE.label, FINER.label])


def test_parts_are_refused_in_a_matrix_and_shown_in_a_frame(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A", part=1), texture("A", part=2), texture("B", part=1)])
    snapshot = read_snapshot(tmp_path)
    with pytest.raises(SeveralPartsError, match="2 rows for case A"):
        snapshot.matrix(["texture"])
    assert snapshot.frame("texture").select("case_id", "part").rows() == [
        ("A", 1),
        ("A", 2),
        ("B", 1),
    ]


def test_coverage_names_what_a_recipe_lacks(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A"), texture("B"), embedding("B")])
    first, second = read_snapshot(tmp_path).coverage()
    assert (first.recipe, first.n_cases, first.missing) == (EMBEDDING, 1, ("A",))
    assert (second.recipe, second.n_cases, second.missing) == (TEXTURE, 2, ())


def test_a_case_is_returned_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    row = embedding("A", 0.1, np.nan)
    fill(tmp_path, [row, texture("B")])
    (found,) = read_snapshot(tmp_path).case("A")
    np.testing.assert_array_equal(found.values, row.values)
    assert found.values.dtype == np.float32
    assert (found.case_id, found.input_digest, found.part) == ("A", "a", 0)
    assert read_snapshot(tmp_path).case("unknown") == []


def test_a_store_without_a_build_says_so(tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError) as caught:
        read_snapshot(tmp_path / "nowhere")
    assert "hnmets features build" in caught.value.__notes__[0]
    assert not (tmp_path / "nowhere").exists()


def test_readers_do_not_load_the_database_engine() -> None:
    code = "import sys, feature_store.snapshot; print({'duckdb', 'polars'} & {*sys.modules})"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout == "set()\n"


def test_publishing_nothing_new_writes_nothing(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A"), clinical("A", 61, "f", True)])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "snapshots").iterdir()}
    with FeatureStore.open(tmp_path) as store:
        store.publish()
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "snapshots").iterdir()}


def test_only_changed_recipes_are_written_and_three_generations_kept(tmp_path: Path) -> None:
    snapshots = tmp_path / "snapshots"
    fill(tmp_path, [embedding("A")])
    (unchanged,) = snapshots.glob("*.arrow")
    written = unchanged.stat().st_mtime_ns
    for value in range(6):
        fill(tmp_path, [texture("A", value, 0, 0)])
    assert len(list(snapshots.glob("*.json"))) == 3
    assert len(list(snapshots.glob("*.arrow"))) == 3 + 1
    assert unchanged.stat().st_mtime_ns == written
    assert read_snapshot(tmp_path).matrix(["texture"]).values[0, 0] == 5


def test_a_snapshot_stays_readable_after_its_files_are_gone(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A", 9, 9, 9)])
    old = read_snapshot(tmp_path)
    for value in range(5):
        fill(tmp_path, [texture("A", value, 0, 0)])
    np.testing.assert_array_equal(old.matrix(["texture"]).values, [[9, 9, 9]])


def test_a_file_that_is_gone_for_good_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, [texture("A")])
    (lost,) = (tmp_path / "snapshots").glob("*.arrow")
    lost.unlink()
    monkeypatch.setattr("feature_store.snapshot._PAUSE_SECONDS", 0)
    with pytest.raises(StoreCorruptError, match=lost.name):
        read_snapshot(tmp_path)


def test_readers_see_whole_generations_during_a_build(tmp_path: Path) -> None:
    """Every generation gives all of its cases one value, in two recipes."""
    seen: list[int] = []
    errors: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                values = read_snapshot(tmp_path).matrix(["texture", "embedding"]).values
                assert len(np.unique(values)) == 1
                assert values.shape == (3, 5)
            except Exception as error:
                errors.append(error)
                return
            seen.append(int(values[0, 0]))

    def rows(value: int) -> list:
        cases = "ABC"
        one = [texture(case, *[value] * 3, digest=str(value)) for case in cases]
        return one + [embedding(case, value, value, digest=str(value)) for case in cases]

    fill(tmp_path, rows(0))
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    with FeatureStore.open(tmp_path) as store:
        for value in range(1, 30):
            store.commit([write_shard(tmp_path, RECIPES, rows(value))])
            store.publish()
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert len(set(seen)) > 3
    assert sorted(set(seen))[-1] <= 29
