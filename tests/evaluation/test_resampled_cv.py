"""The corrected interval of cross-validation folds, and why it is needed."""

from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm, t

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.evaluation.resampled_cv import corrected_interval


def test_five_folds_by_hand() -> None:
    values = [0.68, 0.69, 0.70, 0.71, 0.72]
    found = corrected_interval(values, test_share=0.2, n=100, events=20)
    # s² = (0.0004 + 0.0001 + 0 + 0.0001 + 0.0004) / 4 = 0.00025; 1/5 + 20/80 = 0.45
    half = 2.776445 * sqrt(0.00025 * 0.45)
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(0.70)
    assert found.low == pytest.approx(0.70 - half, abs=1e-6)
    assert found.high == pytest.approx(0.70 + half, abs=1e-6)


def test_more_repeats_do_not_shrink_the_interval_to_nothing() -> None:
    values = [0.68, 0.69, 0.70, 0.71, 0.72]
    many = corrected_interval(values * 200, test_share=0.2, n=100, events=20)
    assert isinstance(many, Estimate)
    # 1/1000 + 1/4 stays above 1/4; s² tends to 0.0002
    assert (many.high - many.low) / 2 == pytest.approx(1.96 * sqrt(0.0002 * 0.251), rel=0.01)


def test_one_fold_has_no_spread() -> None:
    found = corrected_interval([0.7], test_share=0.2, n=100, events=20)
    assert found == NotEstimable(reason="1 fold has no spread", n=100, events=20)


def test_a_test_part_of_everybody_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="cannot be 1 of the patients"):
        corrected_interval([0.7, 0.8], test_share=1.0, n=100, events=20)


def repeated_cv(
    rng: np.random.Generator, n: int, columns: int, folds: int, repeats: int
) -> tuple[NDArray[np.float64], float]:
    """AUC of each fold, and the mean true AUC of the models that were fitted.

    Features are N(0, 1), the first shifted by 1 in events. The model is the difference of the
    class means w; its true AUC is Φ(w·shift / (|w|√2)).
    """
    outcome = np.arange(n) < n // 2
    features = rng.normal(size=(n, columns))
    features[outcome, 0] += 1.0
    values, truths = [], []
    for _ in range(repeats):
        fold = np.empty(n, int)
        for members in (outcome, ~outcome):
            fold[members] = rng.permutation(int(members.sum())) % folds
        for number in range(folds):
            train, test = fold != number, fold == number
            model = features[train & outcome].mean(axis=0) - features[train & ~outcome].mean(
                axis=0
            )
            scores = features @ model
            won = scores[test & outcome][:, None] > scores[test & ~outcome]
            values.append(float(won.mean()))
            truths.append(float(norm.cdf(model[0] / np.linalg.norm(model) / sqrt(2))))
    return np.array(values), float(np.mean(truths))


@pytest.mark.slow
def test_the_corrected_interval_covers_the_truth_and_the_naive_one_does_not() -> None:
    rng = np.random.default_rng(9)
    data_sets = [repeated_cv(rng, 300, 10, folds=5, repeats=5) for _ in range(200)]
    # what the procedure yields on average over data sets of this size
    truth = float(np.mean([of_models for _, of_models in data_sets]))
    corrected = naive = 0
    for values, _ in data_sets:
        found = corrected_interval(values.tolist(), test_share=0.2, n=300, events=150)
        assert isinstance(found, Estimate)
        corrected += found.low <= truth <= found.high
        half = t.ppf(0.975, 24) * values.std(ddof=1) / sqrt(25)
        naive += abs(values.mean() - truth) <= half
    assert 0.90 <= corrected / 200 <= 0.98
    assert naive / 200 < 0.70
