"""Holm over what was registered; the rest explores."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.delong import delong
from hnmets.evaluation.family import Standing, Verdict, judge
from tests.builders_predictions import predictions


def test_holm_by_hand() -> None:
    # 0.01·3, 0.02·2, 0.03·1 raised to its predecessor
    found = judge({"ring": 0.02, "deep": 0.01, "all": 0.03}, ["ring", "deep", "all"])
    assert [one.adjusted_p for one in found] == pytest.approx([0.04, 0.03, 0.04])
    assert [one.significant for one in found] == [True, True, True]


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_adjusted_values_are_those_of_statsmodels(n: int) -> None:
    # rounded, so that some are equal
    p_values = (np.random.default_rng(n).random(n) ** 3).round(2)
    by_name = {str(number): float(p) for number, p in enumerate(p_values)}
    found = [one.adjusted_p for one in judge(by_name, list(by_name))]
    assert found == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


def test_what_was_not_registered_is_exploratory_and_costs_nothing() -> None:
    found = judge({"fusion": 0.04, "idea": 0.0001}, ["fusion"])
    assert found == (
        Verdict(
            name="fusion",
            standing=Standing.CONFIRMATORY,
            p_value=0.04,
            adjusted_p=0.04,
            significant=True,
        ),
        Verdict(
            name="idea",
            standing=Standing.EXPLORATORY,
            p_value=0.0001,
            adjusted_p=None,
            significant=None,
        ),
    )


def test_a_registered_comparison_without_a_p_value_still_counts() -> None:
    found = judge({"fusion": 0.03, "deep": None}, ["fusion", "deep"])
    assert [one.adjusted_p for one in found] == [0.06, None]
    assert [one.significant for one in found] == [False, None]
    assert found[1].standing is Standing.CONFIRMATORY


def test_a_registered_comparison_that_was_not_made_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="registered but not compared: deep"):
        judge({"fusion": 0.03}, ["fusion", "deep"])


def test_a_number_that_is_no_p_value_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"not a p value: fusion = 1\.5"):
        judge({"fusion": 1.5}, ["fusion"])


@pytest.mark.slow
def test_twenty_ablations_of_nothing_rarely_find_something() -> None:
    rng = np.random.default_rng(5)
    names = [str(number) for number in range(20)]
    families_with_a_finding = uncorrected = 0
    for _ in range(200):
        outcome = rng.random(150) < 0.3
        base = predictions(outcome, rng.normal(size=150))
        p_values = {
            name: delong(predictions(outcome, rng.normal(size=150)), base).p_value
            for name in names
        }
        families_with_a_finding += any(one.significant for one in judge(p_values, names))
        uncorrected += any(p is not None and p <= 0.05 for p in p_values.values())
    assert families_with_a_finding / 200 <= 0.07
    assert uncorrected / 200 > 0.20
