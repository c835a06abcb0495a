"""PyRadiomics has the last word: what it contradicts does not stay."""

from dataclasses import replace

import numpy as np
import pytest

from hnmets.domain.region import DrawnRegion
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_audit import RadiomicsAudit, relative_differences
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from tests.builders_cases import ball_case

FAST = Radiomics(
    region="tumour",
    rule=DrawnRegion(mask="{case}_gtv.nii.gz"),
    parameters=RadiomicsParameters(images=("Original", "Square")),
)
AUDIT = RadiomicsAudit(audited=FAST)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (2.0, 2.0, 0.0),
        (1.0, 2.0, 0.5),
        (-1.0, 1.0, 2.0),
        (0.0, 9e-13, 0.0),
        (0.0, 1e-6, 1.0),
        (np.nan, np.nan, 0.0),
        (np.nan, 3.0, 1.0),
        (3.0, np.nan, 1.0),
    ],
)
def test_a_difference_is_relative_to_the_larger_value(
    mine: float, theirs: float, expected: float
) -> None:
    found = relative_differences(np.array([mine]), np.array([theirs]), ("x",))
    assert found == pytest.approx([expected])


@pytest.mark.parametrize(
    ("column", "companion", "size", "mine", "theirs"),
    [
        ("original_glcm_Imc2", "original_glcm_Imc1", 0.0, 0.0, 1.5e-8),
        ("original_glcm_ClusterShade", "original_glcm_ClusterProminence", 900.0, 4.8e-11, 1.2e-11),
        ("original_shape_LeastAxisLength", "original_shape_MajorAxisLength", 9.0, 2.7e-8, 7e-8),
        ("original_shape_Flatness", "original_shape_Elongation", 1.0, 0.0, 1e-7),
    ],
)
def test_what_rounding_leaves_of_a_zero_is_no_difference(
    column: str, companion: str, size: float, mine: float, theirs: float
) -> None:
    columns = (column, companion)
    a, b = np.array([mine, size]), np.array([theirs, size])
    assert relative_differences(a, b, columns).tolist() == [0, 0]
    # The same features with a value of their own are compared as all others.
    assert relative_differences(np.array([0.5, size]), np.array([0.6, size]), columns)[0] > 0.1


def test_what_pyradiomics_confirms_stays_as_it_is() -> None:
    case = ball_case()
    found = FAST.extract(case)
    kept, (verdict,) = AUDIT.compare(case, found)
    assert kept == tuple(found)
    assert verdict.is_true
    assert verdict.worst < 1e-12
    assert verdict.feature in FAST.recipe.columns


def test_a_value_that_pyradiomics_contradicts_is_replaced_and_flagged() -> None:
    case = ball_case()
    (honest,) = FAST.extract(case)
    wrong = honest.values.copy()
    place = FAST.recipe.columns.index("original_glcm_Contrast")
    wrong[place] *= 1.01
    (kept,), (verdict,) = AUDIT.compare(case, [replace(honest, values=wrong)])
    assert not verdict.is_true
    assert verdict.worst == pytest.approx(0.01 / 1.01)
    assert verdict.feature == "original_glcm_Contrast"
    np.testing.assert_allclose(kept.values, honest.values, rtol=1e-12)
    assert "original_glcm_Contrast" in str(kept.flags["measured_by_pyradiomics"])
    assert "measured_by_pyradiomics" not in honest.flags


def test_the_audit_has_rows_of_its_own_that_name_what_was_audited() -> None:
    assert AUDIT.recipe.name == "audit.radiomics.tumour"
    assert AUDIT.recipe.parameters == {"audited": FAST.recipe.fingerprint}
    slow = replace(FAST, parameters=replace(FAST.parameters, engine="pyradiomics"))
    assert slow.recipe.fingerprint != FAST.recipe.fingerprint
