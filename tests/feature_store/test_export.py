import hashlib
from pathlib import Path

import polars as pl
import pytest

from feature_store.errors import MixedRecipesError, SeveralPartsError
from feature_store.export import Format, export
from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot, read_snapshot
from tests.builders_store import TEXTURE, clinical, fill, texture


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    rows = [
        texture("B", 1 / 3, float("nan"), 1e300),
        texture("A"),
        clinical("B", 61, 'say "hi", then; go', True),
        clinical("C", None, None, False),
    ]
    fill(tmp_path / "store", rows)
    return read_snapshot(tmp_path / "store")


EXPECTED = {
    "case_id": ["A", "B", "C"],
    "texture.mean": [1.0, 1 / 3, None],
    "texture.spread": [2.0, None, None],
    "texture.entropy": [3.0, 1e300, None],
    "clinical.age": [None, 61.0, None],
    "clinical.sex": [None, 'say "hi", then; go', None],
    "clinical.p16": [None, True, False],
}
READERS = {"csv": pl.read_csv, "parquet": pl.read_parquet, "arrow": pl.read_ipc}


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
def test_an_exported_table_reads_back_with_the_same_values(
    tmp_path: Path, snapshot: Snapshot, form: Format
) -> None:
    path = export(snapshot, ["texture", "clinical"], tmp_path / "out", form)
    assert READERS[form](path.read_bytes()).to_dict(as_series=False) == EXPECTED
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name == f"texture+clinical-{digest[:12]}.{form}"
    assert export(snapshot, ["texture", "clinical"], tmp_path / "out", form) == path
    assert [p.name for p in (tmp_path / "out").iterdir()] == [path.name]


def test_the_parts_of_one_recipe_are_exported_as_rows(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A", part=1), texture("A", part=2), clinical("A", 1, "f", True)])
    snapshot = read_snapshot(tmp_path)
    table = pl.read_csv(export(snapshot, ["texture"], tmp_path / "out", "csv"))
    assert table.select("case_id", "part").rows() == [("A", 1), ("A", 2)]
    with pytest.raises(SeveralPartsError):
        export(snapshot, ["texture", "clinical"], tmp_path / "out", "csv")


def test_two_recipes_of_one_name_are_not_exported_together(tmp_path: Path) -> None:
    finer = Recipe(name="texture", kind="radiomics", columns=TEXTURE.columns, version=2)
    fill(tmp_path, [texture("A"), texture("A", recipe=finer)], [TEXTURE, finer])
    with pytest.raises(MixedRecipesError):
        export(read_snapshot(tmp_path), [TEXTURE.label, finer.label], tmp_path, "csv")


def test_a_recipes_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    recipe = Recipe(name="../../etc/x", kind="k", columns=("v",))
    fill(tmp_path / "store", [texture("A", 1.0, recipe=recipe)], [recipe])
    snapshot = read_snapshot(tmp_path / "store")
    path = export(snapshot, [recipe.label], tmp_path / "out", "csv")
    assert path.parent == tmp_path / "out"
    assert path.exists()
