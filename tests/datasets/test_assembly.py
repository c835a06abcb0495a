from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from feature_store.errors import MixedRecipesError, UnknownRecipeError
from feature_store.quarantine import Quarantined
from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.snapshot import Snapshot
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Absent
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.extractors.clinical import Clinical, ClinicalVariable
from tests.builders_rows import EMBEDDING, TEXTURE, VIEW, case, stored, vector

MISSING = replace(VIEW, policy="modality-missing")
CASES = [
    case("A", event=True, age=61.0, sex="male", centre="X"),
    case("B", patient="b", age=None, sex="female"),
    case("C", age=50.0),
    case("D", event=None, age=70.0, sex="male"),
]
ROWS = [
    vector(TEXTURE, "A", 1, 2),
    vector(TEXTURE, "B", 3, np.nan),
    vector(TEXTURE, "D", 5, 6),
    vector(TEXTURE, "E", 7, 8),
    vector(EMBEDDING, "A", 0.5, 0.25),
    vector(EMBEDDING, "B", 0.125, 1),
    vector(EMBEDDING, "C", 4, 4),
]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return stored(tmp_path, CASES, ROWS)


def test_complete_cases_are_joined_in_the_order_of_the_view(snapshot: Snapshot) -> None:
    dataset = assemble(snapshot, VIEW)
    rows = dataset.rows
    assert (rows.case_ids, rows.patient_ids) == (("A", "B"), ("A", "b"))
    assert rows.columns == (
        "radiomics.tumour.mean",
        "radiomics.tumour.entropy",
        "embedding.both.e0",
        "embedding.both.e1",
        "clinical.age",
        "clinical.sex=female",
        "clinical.sex=male",
        "clinical.sex=unknown",
    )
    assert rows.modalities == (
        *["radiomics.tumour"] * 2,
        *["embedding.both"] * 2,
        *["clinical"] * 4,
    )
    np.testing.assert_array_equal(
        rows.values,
        [[1, 2, 0.5, 0.25, 61, 0, 1, 0], [3, np.nan, 0.125, 1, np.nan, 1, 0, 0]],
    )
    np.testing.assert_array_equal(rows.outcome, [True, False])
    assert dataset.centres == ("X", None)
    np.testing.assert_array_equal(dataset.time_days, [700, 700])


def test_every_case_of_the_store_is_a_row_or_has_a_reason(snapshot: Snapshot) -> None:
    for view in (VIEW, MISSING):
        dataset = assemble(snapshot, view)
        assert sorted([*dataset.rows.case_ids, *dataset.left_out]) == list(snapshot.case_ids)


def test_cases_that_drop_out_are_counted_by_reason(snapshot: Snapshot) -> None:
    dataset = assemble(snapshot, VIEW)
    assert dataset.left_out == {
        "C": "lacks radiomics.tumour",
        "D": "no outcome",
        "E": "no patient",
    }
    assert dataset.reasons == {"lacks radiomics.tumour": 1, "no outcome": 1, "no patient": 1}


def test_a_quarantined_case_is_left_out_with_its_code(snapshot: Snapshot) -> None:
    problem = Quarantined(case_id="C", code="E_ROI_SMALL", stage="radiomics.tumour", detail="-")
    dataset = assemble(replace(snapshot, quarantined=(problem,)), VIEW)
    assert dataset.left_out["C"] == "lacks radiomics.tumour (E_ROI_SMALL)"


def test_a_missing_modality_is_kept_as_gaps_and_counted(snapshot: Snapshot) -> None:
    dataset = assemble(snapshot, MISSING)
    assert dataset.rows.case_ids == ("A", "B", "C")
    np.testing.assert_array_equal(dataset.rows.values[2], [np.nan, np.nan, 4, 4, 50, 0, 0, 1])
    # B lacks one texture value and the age; C lacks all of the texture.
    assert dataset.absent == (
        Absent(modality="radiomics.tumour", cases=1, values=1),
        Absent(modality="embedding.both", cases=0, values=0),
        Absent(modality="clinical", cases=0, values=1),
    )


def test_a_case_without_any_modality_is_left_out_under_either_policy(snapshot: Snapshot) -> None:
    view = FeatureView(name="t", recipes=("radiomics.tumour",), policy="modality-missing")
    assert assemble(snapshot, view).left_out["C"] == "lacks radiomics.tumour"


def test_categories_of_a_case_without_the_table_are_absent_not_unknown(tmp_path: Path) -> None:
    snapshot = stored(tmp_path, CASES, ROWS)
    (clinical,) = [t for t in snapshot.tables.values() if t.recipe.name == "clinical"]
    tables = {**snapshot.tables, clinical.recipe.fingerprint: clinical.among({"A", "B"})}
    view = FeatureView(name="t", recipes=("embedding.both", "clinical"), policy="modality-missing")
    dataset = assemble(replace(snapshot, tables=tables), view)
    assert dataset.rows.case_ids[2] == "C"
    assert np.isnan(dataset.rows.values[2, 2:]).all()


def test_the_vocabulary_is_the_declared_one_whatever_the_cases_are(tmp_path: Path) -> None:
    cases = [case("A", event=True, sex="male"), case("B", sex="male")]
    dataset = assemble(stored(tmp_path, cases), FeatureView(name="c", recipes=("clinical",)))
    assert dataset.rows.columns[1:] == (
        "clinical.sex=female",
        "clinical.sex=male",
        "clinical.sex=unknown",
    )


def test_a_category_without_a_vocabulary_is_refused(tmp_path: Path) -> None:
    free = Clinical(variables=(ClinicalVariable(name="site", type="category"),))
    snapshot = stored(tmp_path, [case("A", site="tonsil")], clinical=free)
    with pytest.raises(InvalidDataError, match="'site' is text without declared") as caught:
        assemble(snapshot, FeatureView(name="c", recipes=("clinical",)))
    assert "[clinical.site]" in caught.value.__notes__[0]


def test_a_value_outside_of_the_vocabulary_is_named_with_its_case(tmp_path: Path) -> None:
    recipe = Recipe(
        name="staging",
        kind="table",
        columns=("stage",),
        types=("text",),
        parameters={"variables": {"stage": {"categories": ["I", "II"]}}},
    )
    row = Row(case_id="A", fingerprint=recipe.fingerprint, input_digest="a", values=("IV",))
    snapshot = stored(tmp_path, [case("A")], [row], recipes=[recipe])
    message = "case A: staging.stage is 'IV', declared are I, II, unknown"
    with pytest.raises(InvalidDataError, match=message):
        assemble(snapshot, FeatureView(name="s", recipes=("staging",)))


def test_two_fingerprints_of_one_name_never_meet_in_one_matrix(tmp_path: Path) -> None:
    finer = replace(TEXTURE, parameters={"bin_width_hu": 10.0})
    rows = [vector(TEXTURE, "A", 1, 2), vector(finer, "A", 3, 4)]
    snapshot = stored(tmp_path, [case("A")], rows, recipes=[TEXTURE, finer])
    view = FeatureView(name="two", recipes=(TEXTURE.label, finer.label))
    with pytest.raises(MixedRecipesError, match="one feature set made in different ways"):
        assemble(snapshot, view)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [("outcome", "what is to be predicted"), ("cohort", "whose case it is")],
)
def test_the_outcome_and_the_patient_are_no_features(
    snapshot: Snapshot, recipe: str, message: str
) -> None:
    with pytest.raises(InvalidDataError, match=message):
        assemble(snapshot, FeatureView(name="leak", recipes=("clinical", recipe)))


def test_a_recipe_that_nobody_built_is_named(snapshot: Snapshot) -> None:
    with pytest.raises(UnknownRecipeError, match=r"no rows for radiomics\.ring"):
        assemble(snapshot, FeatureView(name="r", recipes=("radiomics.ring",)))


def test_a_view_without_a_case_says_why(tmp_path: Path) -> None:
    snapshot = stored(tmp_path, [case("A")], [vector(TEXTURE, "B", 1, 2)])
    with pytest.raises(
        InvalidDataError, match=r"has no case: lacks radiomics\.tumour, no patient"
    ):
        assemble(snapshot, FeatureView(name="t", recipes=("radiomics.tumour",)))


def test_a_view_without_a_recipe_is_none() -> None:
    with pytest.raises(ValueError, match="'empty' names no recipe"):
        FeatureView(name="empty", recipes=())


def test_the_digest_changes_with_a_value_and_not_with_the_view_s_name(tmp_path: Path) -> None:
    snapshot = stored(tmp_path / "one", CASES, ROWS)
    digest = assemble(snapshot, VIEW).digest
    assert assemble(snapshot, replace(VIEW, name="other")).digest == digest
    changed = [vector(TEXTURE, "A", 1, 2.5), *ROWS[1:]]
    assert assemble(stored(tmp_path / "two", CASES, changed), VIEW).digest != digest
