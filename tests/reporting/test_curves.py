import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.curves import RiskHistogram, RocPoints
from tests.builders_predictions import predictions


def test_the_histogram_counts_each_patient_once_for_all_repeats() -> None:
    scored = predictions([1, 0, 0], [[0.01, 0.01, 0.99], [0.01, 0.99, 0.99]])
    histogram = RiskHistogram.of(scored)
    assert histogram.with_event[0] == 1.0
    assert (histogram.without_event[0], histogram.without_event[-1]) == (0.5, 1.5)
    assert (len(histogram.edges), histogram.edges[0], histogram.edges[-1]) == (21, 0.0, 1.0)


def test_patients_lost_before_the_horizon_are_not_in_the_histogram() -> None:
    scored = predictions([1, 0, 0], [0.1, 0.2, 0.3], weight=[1, 1, 0])
    histogram = RiskHistogram.of(scored)
    assert sum(histogram.with_event) + sum(histogram.without_event) == 2


def test_scores_that_are_no_risks_have_no_histogram() -> None:
    with pytest.raises(InvalidDataError, match="no probabilities"):
        RiskHistogram.of(predictions([1, 0], [2.0, 0.1]))


def test_a_curve_with_a_column_too_short_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"columns of \[2, 1\]"):
        RocPoints(false_positive_rate=(0.0, 1.0), sensitivity=(0.0,))
