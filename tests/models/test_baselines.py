from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from hnmets.models.case_weights import case_weights
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.trees import GradientBoosting, RandomForest
from tests.models.heads import cohort, thirds


def test_coefficients_minimise_the_published_objective() -> None:
    training, choosing, _ = thirds(cohort(3, 160, {0: 1.0, 7: -1.0}))
    strength, ratio = 0.3, 0.5
    net = ElasticNet(strengths=(strength,), l1_ratio=ratio).fit(training, choosing, seed=0)
    scaled = (training.values - training.values.mean(axis=0)) / training.values.std(axis=0)
    signs = np.where(training.outcome, 1, -1)

    def objective(point: np.ndarray) -> float:
        # Differentiable form: the coefficients' positive and negative parts.
        coefficients = point[1::2] - point[2::2]
        misfit = np.logaddexp(0, -signs * (scaled @ coefficients + point[0])).sum()
        squared = (1 - ratio) / 2 * (coefficients @ coefficients)
        return float(strength * misfit + ratio * point[1:].sum() + squared)

    size = 2 * scaled.shape[1]
    bounds = [(None, None), *[(0, None)] * size]
    best = minimize(objective, np.zeros(size + 1), bounds=bounds, tol=1e-12)
    np.testing.assert_allclose(net.coefficients, best.x[1::2] - best.x[2::2], atol=2e-3)
    assert net.intercept == pytest.approx(best.x[0], abs=2e-3)


def test_the_strength_with_the_lowest_loss_of_the_choosing_rows_is_chosen() -> None:
    noise = thirds(cohort(3, 160, {}))
    signal = thirds(cohort(3, 160, {0: 2.0, 3: 2.0, 7: 2.0}))
    strengths = (0.001, 10.0)
    chosen = [
        ElasticNet(strengths=strengths).fit(training, choosing, seed=0).strength
        for training, choosing, _ in (noise, signal)
    ]
    assert chosen == [0.001, 10.0]


@pytest.mark.parametrize(
    "model",
    [ElasticNet(strengths=(0.1,)), RandomForest(trees=30), GradientBoosting(most_trees=20)],
    ids=lambda model: type(model).__name__,
)
def test_balanced_classes_change_the_scores_before_calibration(
    model: ElasticNet | RandomForest | GradientBoosting,
) -> None:
    training, choosing, _ = thirds(cohort(1, 200, {0: 1.0}))
    # Uncalibrated where nobody to choose by has the event.
    others = choosing.among(np.flatnonzero(~choosing.outcome))
    plain, even = (
        replace(model, weighting=weighting).fit(training, others, seed=0).risk(choosing).mean()
        for weighting in ("none", "balanced")
    )
    assert even > plain + 0.05


def test_weights_of_the_classes_sum_to_the_same() -> None:
    outcome = np.array([True, True, False, False, False, False, False, False])
    weights = case_weights(outcome, outcome, "balanced")
    np.testing.assert_allclose([weights[outcome].sum(), weights[~outcome].sum()], 4)


def test_boosting_of_noise_stops_early() -> None:
    training, choosing, _ = thirds(cohort(0, 400, {}))
    fitted = GradientBoosting(most_trees=100).fit(training, choosing, seed=0)
    assert len(fitted.trees.roots) < 50


def test_settings_that_fit_nothing_are_refused() -> None:
    for model, wrong in [
        (ElasticNet(), {"strengths": ()}),
        (RandomForest(), {"trees": 0}),
        (GradientBoosting(), {"leaves": 1}),
        (GradientBoosting(), {"learning_rate": 0}),
    ]:
        with pytest.raises(ValueError, match=r"at least|positive"):
            replace(model, **wrong)  # type: ignore[type-var, arg-type]  # any model and setting
