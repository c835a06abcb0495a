"""Intraclass correlation: the published table, laws, limits."""

import numpy as np
import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.agreement import agreement
from hnmets.evaluation.estimate import Estimate, NotEstimable

# Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420, table 2: six targets, four judges
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def both(values: np.ndarray) -> tuple[Estimate, Estimate]:
    found = agreement(values)
    assert isinstance(found.icc_1_1, Estimate)
    assert isinstance(found.icc_3_1, Estimate)
    return found.icc_1_1, found.icc_3_1


def test_the_published_table() -> None:
    # table 4 of the paper; more digits and intervals: intraclass_corr of pingouin 0.7.0
    icc_1_1, icc_3_1 = both(SHROUT_FLEISS)
    assert icc_1_1.value == pytest.approx(0.1657417684, abs=1e-9)
    assert (icc_1_1.low, icc_1_1.high) == pytest.approx((-0.13, 0.72), abs=0.005)
    assert icc_3_1.value == pytest.approx(0.7148407148, abs=1e-9)
    assert (icc_3_1.low, icc_3_1.high) == pytest.approx((0.34, 0.95), abs=0.005)
    assert (icc_1_1.n, icc_1_1.events) == (6, None)


def test_two_patients_by_hand() -> None:
    # means 1 and 4, grand 2.5: between 2·(2.25 + 2.25) = 9 on 1 df; within 2 + 2 on 2 df = 2
    # (9 - 2) / (9 + 2); the columns differ by 2 each: 4 of the 4, nothing is left
    icc_1_1, icc_3_1 = both(np.array([[0.0, 2.0], [3.0, 5.0]]))
    assert icc_1_1.value == pytest.approx(7 / 11)
    assert icc_3_1.value == pytest.approx(1.0)


def test_a_feature_that_no_perturbation_moves_agrees_fully() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(20, 1)), 5, axis=1)
    for found in both(values):
        assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))


def test_noise_does_not_agree() -> None:
    for found in both(np.random.default_rng(1).normal(size=(400, 5))):
        assert found.value == pytest.approx(0, abs=0.05)
        assert found.low < 0 < found.high


def test_a_shift_common_to_all_patients_counts_in_the_first_alone() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(30, 1)) + 0.1 * rng.normal(size=(30, 4))
    shifted = values + np.array([0.0, 1.0, 2.0, 3.0])
    before, after = both(values), both(shifted)
    assert after[1].value == pytest.approx(before[1].value)
    assert after[0].value < before[0].value - 0.3


def test_unit_and_offset_do_not_matter() -> None:
    for found, plain in zip(both(1e6 + 1e-3 * SHROUT_FLEISS), both(SHROUT_FLEISS), strict=True):
        assert found.value == pytest.approx(plain.value, rel=1e-6)
        assert found.low == pytest.approx(plain.low, rel=1e-6)


def test_the_same_value_everywhere_is_not_estimable() -> None:
    found = agreement(np.full((5, 3), 0.1))
    reason = "the same value everywhere"
    assert found.icc_1_1 == found.icc_3_1 == NotEstimable(reason=reason, n=5, events=None)


def test_what_has_no_agreement_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"two patients and two values, not \(5, 1\)"):
        agreement(np.ones((5, 1)))
    with pytest.raises(InvalidDataError, match="1 values are not finite"):
        agreement(np.array([[1.0, 2.0], [np.nan, 1.0]]))


@pytest.mark.slow
def test_the_intervals_cover_the_truth_as_often_as_they_say() -> None:
    # variance 1 between, 1/3 within: ICC 0.75
    rng = np.random.default_rng(3)
    covered = np.zeros(2)
    for _ in range(400):
        values = rng.normal(size=(25, 1)) + np.sqrt(1 / 3) * rng.normal(size=(25, 4))
        covered += [found.low <= 0.75 <= found.high for found in both(values)]
    assert ((covered / 400 >= 0.92) & (covered / 400 <= 0.98)).all()
