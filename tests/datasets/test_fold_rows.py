from dataclasses import replace

import numpy as np
import pytest

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import FoldMismatchError, SeenInTrainingError
from hnmets.datasets.fold import Fold
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.provenance import trained_on
from hnmets.datasets.rows import ChoosingRows, HeldOutRows, TrainRows
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.domain.errors import InvalidDataError
from tests.builders_rows import dataset_of, seen_by, subjects_in, train_rows

ROWS = train_rows(np.arange(60.0).reshape(30, 2), [row < 12 for row in range(30)])
DATASET = dataset_of(ROWS)
SPLIT = draw(subjects_in(ROWS), SplitParameters(folds=3, repeats=1, inner_folds=2))


def test_each_part_has_the_rows_of_its_cases_and_the_type_of_its_use() -> None:
    (fold, *_) = folds_of(DATASET, SPLIT)
    for rows, cases, kind in [
        (fold.training, fold.fold.training, TrainRows),
        (fold.fitting(1), fold.fold.fitting(1), TrainRows),
        (fold.choosing(1), fold.fold.choosing(1), ChoosingRows),
        (fold.held_out, fold.fold.held_out, HeldOutRows),
    ]:
        assert type(rows) is kind
        assert rows.case_ids == cases
        np.testing.assert_array_equal(rows.values[:, 0], [2 * int(case[1:]) for case in cases])
        np.testing.assert_array_equal(rows.outcome, [int(case[1:]) < 12 for case in cases])


def test_a_patient_on_both_sides_is_refused() -> None:
    twins = replace(ROWS, patient_ids=("C029", *ROWS.patient_ids[1:]))
    fold = Fold(name="leak", repeat=1, held_out=("C000",), inner=(("C029",), ("C005", "C020")))
    with pytest.raises(FoldMismatchError, match="leak: patients to score are learned from too"):
        FoldRows(dataset=dataset_of(twins), fold=fold)
    inner = Fold(name="leak", repeat=1, held_out=("C007",), inner=(("C029",), ("C000", "C020")))
    with pytest.raises(FoldMismatchError, match="cases C029"):
        FoldRows(dataset=dataset_of(twins), fold=inner)


def without(case_id: str, reason: str | None) -> Dataset:
    rows = ROWS.among([place for place, case in enumerate(ROWS.case_ids) if case != case_id])
    return replace(dataset_of(rows), left_out={case_id: reason} if reason else {})


def test_a_case_that_the_view_lacks_leaves_its_fold_alone() -> None:
    whole, partial = folds_of(DATASET, SPLIT), folds_of(without("C003", "lacks ring"), SPLIT)
    for before, after in zip(whole, partial, strict=True):
        expected = [case for case in before.held_out.case_ids if case != "C003"]
        assert list(after.held_out.case_ids) == expected


def test_a_case_cannot_be_lost_without_a_reason() -> None:
    with pytest.raises(FoldMismatchError, match="different cohorts: C003"):
        folds_of(without("C003", None), SPLIT)


def test_a_case_that_the_split_never_saw_is_refused() -> None:
    split = draw(subjects_in(ROWS)[1:], SPLIT.parameters)
    with pytest.raises(FoldMismatchError, match="different cohorts: C000"):
        folds_of(DATASET, split)


@pytest.mark.parametrize(
    "changed",
    [
        replace(ROWS, patient_ids=("somebody", *ROWS.patient_ids[1:])),
        replace(ROWS, outcome=np.array([False, *ROWS.outcome[1:]])),
    ],
)
def test_another_patient_or_outcome_than_the_split_knows_is_refused(changed: TrainRows) -> None:
    with pytest.raises(FoldMismatchError, match="other patients or outcomes of C000"):
        folds_of(dataset_of(changed), SPLIT)


def split_of(held_out: tuple[str, ...], training: tuple[str, ...]) -> Split:
    fold = Fold(name="f", repeat=1, held_out=held_out, inner=(training,))
    return replace(SPLIT, folds=(fold,))


def test_a_fold_whose_cases_dropped_out_says_not_estimable() -> None:
    negatives = tuple(f"C{n:03d}" for n in range(12, 30))
    (no_event,) = folds_of(DATASET, split_of(negatives[:5], ("C000", "C001", *negatives[5:])))
    assert no_event.why_untrainable == ""
    assert no_event.why_not_estimable == (
        "held out: 0 patients with the event and 5 without, 1 of each is needed"
    )
    (one_event,) = folds_of(DATASET, split_of(("C003", "C012"), ("C000", *negatives[1:])))
    assert one_event.why_not_estimable.startswith("training: 1 patient with the event and 17")


def test_an_embedding_is_refused_for_patients_whom_its_network_has_seen() -> None:
    fold, other, _ = folds_of(DATASET, SPLIT)
    recipe = seen_by(**trained_on(fold.training.patient_ids))
    learned = replace(DATASET, recipes=(recipe,))
    fold, other, _ = folds_of(learned, SPLIT)
    assert fold.held_out.case_ids == SPLIT.folds[0].held_out
    assert fold.training.case_ids == SPLIT.folds[0].training
    with pytest.raises(SeenInTrainingError, match=f"{recipe.label}: its network was trained on"):
        _ = other.held_out


def test_whoever_trained_the_network_cannot_choose_by_it() -> None:
    fold, *_ = folds_of(DATASET, SPLIT)
    patients = fold.fitting(0).patient_ids
    learned = replace(DATASET, recipes=(seen_by(**trained_on(patients)),))
    fold, *_ = folds_of(learned, SPLIT)
    assert fold.choosing(0).case_ids == SPLIT.folds[0].choosing(0)
    with pytest.raises(SeenInTrainingError) as caught:
        fold.choosing(1)
    assert "this fold's training part" in caught.value.__notes__[0]


def test_another_spelling_of_the_patient_was_seen_too() -> None:
    learned = replace(DATASET, recipes=(seen_by(**trained_on(["c 0"])),))
    guarded = next(f for f in folds_of(learned, SPLIT) if "C000" in f.fold.held_out)
    with pytest.raises(SeenInTrainingError, match="1 of the cases to be scored: C000"):
        _ = guarded.held_out


def test_networks_of_two_folds_are_two_recipes() -> None:
    first, second = (seen_by(**trained_on(f.training)) for f in SPLIT.folds[:2])
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    "told", [None, [], {}, {"patients": "all"}, {"patients": ["C000"]}, {"patients": [7]}]
)
def test_training_patients_that_cannot_be_read_are_refused(told: object) -> None:
    fold, *_ = folds_of(replace(DATASET, recipes=(seen_by(trained_on=told),)), SPLIT)
    with pytest.raises(InvalidDataError, match="does not list the digests"):
        _ = fold.held_out
