from pathlib import Path

import numpy as np

from feature_store.diff import Change, diff
from feature_store.recipe import Recipe
from feature_store.snapshot import read_snapshot
from tests.builders_store import fill, texture

OLD = Recipe(
    name="texture",
    kind="radiomics",
    columns=("mean", "spread", "gone"),
    parameters={"grid": {"spacing_mm": 1.0, "order": 3}, "bins": 25},
    libraries={"radiomics": "3.1.4"},
)
NEW = Recipe(
    name="texture",
    kind="radiomics",
    columns=("spread", "mean", "new"),
    parameters={"grid": {"spacing_mm": 2.0, "order": 3}, "clip": True},
    libraries={"radiomics": "3.1.5"},
)


def test_settings_columns_and_values_that_differ_are_named(tmp_path: Path) -> None:
    nan = np.nan
    rows = [
        texture("A", 10.0, 1.0, 0.0, recipe=OLD),
        texture("B", -4.0, nan, 0.0, recipe=OLD),
        texture("C", 1.0, 1.0, 1.0, recipe=OLD),
        texture("A", 1.0, 8.0, 0.0, recipe=NEW),
        texture("B", 2.0, -4.0, 0.0, recipe=NEW),
    ]
    fill(tmp_path, rows, [OLD, NEW])
    found = diff(OLD.label, NEW.label, read_snapshot(tmp_path))
    assert found.settings == (
        Change(setting="libraries.radiomics", a="3.1.4", b="3.1.5"),
        Change(setting="parameters.bins", a=25, b=None),
        Change(setting="parameters.clip", a=None, b=True),
        Change(setting="parameters.grid.spacing_mm", a=1.0, b=2.0),
    )
    assert (found.only_in_a, found.only_in_b) == (("gone",), ("new",))
    assert found.n_common_cases == 2
    mean, spread = found.columns
    # |10 - 8| = 2, a fifth of 10; case B is equal
    assert (mean.column, mean.max_absolute, mean.max_relative) == ("mean", 2.0, 0.2)
    assert mean.n_absent_in_one == 0
    # case A is equal, case B has a value on one side only
    assert (spread.column, spread.max_absolute, spread.n_absent_in_one) == ("spread", 0.0, 1)


def test_a_recipe_does_not_differ_from_itself(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A", np.inf, np.nan, 0.0)])
    found = diff("texture", "texture", read_snapshot(tmp_path))
    assert found.settings == ()
    assert {(c.max_absolute, c.max_relative, c.n_absent_in_one) for c in found.columns} == {
        (0, 0, 0)
    }


def test_recipes_without_common_cases_are_compared_by_their_settings(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A", recipe=OLD), texture("B", recipe=NEW)], [OLD, NEW])
    found = diff(OLD.label, NEW.label, read_snapshot(tmp_path))
    assert found.n_common_cases == 0
    assert found.columns == ()
    assert len(found.settings) == 4
