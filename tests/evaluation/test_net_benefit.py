"""Decision curves by hand and against dcurves."""

import numpy as np
import pandas as pd
import pytest
from dcurves import dca

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.horizon import at_horizon
from hnmets.evaluation.net_benefit import ThresholdRange, decision_curve
from tests.builders_predictions import calibrated, cohort_with_deaths, follow_up, predictions

FEW = Bootstrap(draws=200)


def test_six_patients_by_hand() -> None:
    # at 0.25 four are called, two of them events: 2/6 - 2/6 · (0.25 / 0.75)
    found = decision_curve(
        predictions([1, 1, 0, 0, 0, 0], [0.9, 0.3, 0.4, 0.25, 0.1, 0.2]),
        FEW,
        thresholds=ThresholdRange(lowest=0.25, highest=0.5, step=0.25),
    )
    np.testing.assert_allclose(found.threshold, [0.25, 0.5])
    # at 0.5 one event is called and nobody else
    np.testing.assert_allclose(found.net_benefit, [2 / 6 - 2 / 6 / 3, 1 / 6])
    np.testing.assert_allclose(found.treat_all, [2 / 6 - 4 / 6 / 3, 2 / 6 - 4 / 6])
    np.testing.assert_array_equal(found.treat_none, [0, 0])


def test_treating_all_crosses_zero_at_the_prevalence() -> None:
    found = decision_curve(predictions([1] * 20 + [0] * 80, np.full(100, 0.2)), FEW)
    at = found.threshold == 0.2
    np.testing.assert_allclose(found.treat_all[at], 0, atol=1e-12)
    assert (found.treat_all[found.threshold < 0.2] > 0).all()
    assert (found.treat_all[found.threshold > 0.2] < 0).all()


def test_net_benefit_is_that_of_dcurves() -> None:
    cohort = calibrated(np.random.default_rng(0), 300)
    found = decision_curve(cohort, FEW)
    table = pd.DataFrame({"event": cohort.outcome.astype(int), "model": cohort.risk})
    expected = dca(
        data=table, outcome="event", modelnames=["model"], thresholds=found.threshold
    ).set_index("model")["net_benefit"]
    np.testing.assert_allclose(found.net_benefit, expected["model"], atol=1e-12)
    np.testing.assert_allclose(found.treat_all, expected["all"], atol=1e-12)


def test_net_benefit_by_a_horizon_is_near_that_of_dcurves() -> None:
    # dcurves takes Kaplan-Meier among those called, this weighs by censoring in the cohort
    seen, score = cohort_with_deaths(np.random.default_rng(1), 3000, deaths=False, hazard_of=0.8)
    risk = 1 - np.exp(-np.exp(0.8 * score) * 700 / 2000)
    at = at_horizon(seen, training=seen, horizon_days=700)
    found = decision_curve(
        at.predictions(risk), FEW, thresholds=ThresholdRange(lowest=0.1, highest=0.6, step=0.1)
    )
    table = pd.DataFrame({"event": seen.event.astype(int), "days": seen.time_days, "model": risk})
    expected = dca(
        data=table,
        outcome="event",
        modelnames=["model"],
        thresholds=found.threshold,
        time=700,
        time_to_outcome_col="days",
    ).set_index("model")["net_benefit"]
    np.testing.assert_allclose(found.treat_all, expected["all"], atol=1e-9)
    np.testing.assert_allclose(found.net_benefit, expected["model"], atol=0.01)


def test_the_interval_narrows_with_the_square_root_of_the_patients() -> None:
    rng = np.random.default_rng(2)
    widths = []
    for n in (400, 6400):
        found = decision_curve(calibrated(rng, n), Bootstrap(draws=500))
        assert (found.low <= found.net_benefit).all()
        assert (found.net_benefit <= found.high).all()
        widths.append((found.high - found.low).mean())
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.2)


def test_thresholds_include_both_ends() -> None:
    found = ThresholdRange().thresholds
    assert (found[0], found[-1], len(found)) == (0.05, 0.5, 46)


def test_what_has_no_decision_curve_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="no probabilities"):
        decision_curve(predictions([1, 0], [3.0, 0.2]), FEW)
    with pytest.raises(InvalidDataError, match="needs patients"):
        decision_curve(predictions([], []), FEW)
    with pytest.raises(InvalidDataError, match=r"thresholds from 0\.5 to 0\.1"):
        ThresholdRange(lowest=0.5, highest=0.1)


def test_a_cohort_that_is_mostly_censored_still_has_an_interval() -> None:
    # two of six are known: about 9 % of the resamples hold neither
    seen = follow_up([50, 60, 10, 11, 12, 13], [1, 0, 0, 0, 0, 0])
    training = follow_up(np.arange(1, 101), np.tile([1, 0], 50))
    at = at_horizon(seen, training=training, horizon_days=55)
    found = decision_curve(at.predictions(np.full(6, 0.4)), FEW)
    assert np.isfinite([found.low, found.high]).all()
