"""Noise gives chance, and each of three well-known mistakes gives more: the canaries can die.

Cohorts of 200 patients with 42 events and 600 columns of noise; 36 are chosen.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from hnmets.datasets.drawing import draw
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.rows import Rows, TrainRows
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.selection.base import Fitted
from hnmets.selection.reference import SelectionParameters
from tests.builders_rows import dataset_of, subjects_in, train_rows

CHAIN = SelectionParameters(trees=40).chain
PATIENTS, EVENTS, COLUMNS = 200, 42, 600


def noise(seed: int, scans: int = 1) -> TrainRows:
    """Noise of patients; several scans of one differ by a tenth of what patients differ."""
    rng = np.random.default_rng(seed)
    patients = rng.normal(size=(PATIENTS, COLUMNS)).repeat(scans, axis=0)
    values = patients + 0.1 * (scans > 1) * rng.normal(size=patients.shape)
    outcome = (np.arange(PATIENTS) < EVENTS).repeat(scans)
    return train_rows(values, outcome)


def owned(rows: TrainRows, scans: int) -> TrainRows:
    """The rows under the patients whose scans they are."""
    owners = tuple(rows.case_ids[place - place % scans] for place in range(len(rows.case_ids)))
    return replace(rows, patient_ids=owners)


def oversampled(rows: TrainRows) -> TrainRows:
    """The rows with each event four times, as new cases: the classes are balanced."""
    places = np.repeat(np.arange(len(rows.case_ids)), np.where(rows.outcome, 4, 1))
    cases = tuple(f"{rows.case_ids[place]}copy{n}" for n, place in enumerate(places))
    return replace(rows.among(places), case_ids=cases, patient_ids=cases)


def folds(rows: Rows) -> tuple[FoldRows, ...]:
    return folds_of(dataset_of(rows), draw(subjects_in(rows), SplitParameters(repeats=1)))


def score(learned_from: TrainRows, fitted: Fitted, held_out: Rows) -> float:
    training, tested = fitted.apply(learned_from), fitted.apply(held_out)
    model = LogisticRegression().fit(training.values, training.outcome)
    return float(roc_auc_score(tested.outcome, model.decision_function(tested.values)))


def nested(rows: TrainRows) -> list[float]:
    """Everything is fitted on the training rows of each fold."""
    return [score(f.training, CHAIN.fit(f.training), f.held_out) for f in folds(rows)]


def mean_auc(scores: Callable[[int], Iterable[float]], seeds: int) -> float:
    return float(np.mean([auc for seed in range(seeds) for auc in scores(seed)]))


def test_noise_gives_chance() -> None:
    assert 0.45 < mean_auc(lambda seed: nested(noise(seed)), seeds=10) < 0.55


def test_choosing_columns_before_the_split_makes_something_of_noise() -> None:
    def broken(seed: int) -> list[float]:
        rows = noise(seed)
        fitted = CHAIN.fit(rows)
        return [score(f.training, fitted, f.held_out) for f in folds(rows)]

    assert mean_auc(broken, seeds=2) > 0.7


def test_one_patient_in_two_folds_makes_something_of_noise() -> None:
    assert mean_auc(lambda seed: nested(noise(seed, scans=2)), seeds=2) > 0.7


def test_scans_of_one_patient_kept_together_give_chance() -> None:
    assert 0.45 < mean_auc(lambda seed: nested(owned(noise(seed, scans=2), 2)), seeds=5) < 0.55


def test_oversampling_before_the_split_makes_something_of_noise() -> None:
    assert mean_auc(lambda seed: nested(oversampled(noise(seed))), seeds=2) > 0.7


def test_oversampling_within_the_training_part_gives_chance() -> None:
    def honest(seed: int) -> list[float]:
        scores = []
        for fold in folds(noise(seed)):
            balanced = oversampled(fold.training)
            scores.append(score(balanced, CHAIN.fit(balanced), fold.held_out))
        return scores

    assert 0.45 < mean_auc(honest, seeds=5) < 0.55


def test_a_column_that_tells_in_the_held_out_rows_alone_is_never_chosen() -> None:
    rows = noise(0)
    for number, fold in enumerate(folds(rows)):
        places = [rows.case_ids.index(case) for case in fold.fold.held_out]
        values = rows.values.copy()
        values[places, 0] = 100.0 * rows.outcome[places]
        after = folds(replace(rows, values=values))[number]
        before, again = CHAIN.fit(fold.training), CHAIN.fit(after.training)
        assert before.columns == again.columns


def test_a_true_signal_survives_the_same_procedure() -> None:
    rows = noise(1)
    values = rows.values.copy()
    values[:, :3] += 1.2 * rows.outcome[:, np.newaxis]
    assert np.mean(nested(replace(rows, values=values))) > 0.75
