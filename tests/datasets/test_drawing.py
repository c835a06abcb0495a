from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import SplitImpossibleError
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject
from tests.builders_rows import subjects

FEW = SplitParameters(folds=3, repeats=2, inner_folds=3)


@st.composite
def cohorts(draw_from: st.DrawFn) -> list[Subject]:
    """Patients with one to four cases each, at least six of each class, ids of any spelling."""
    counts = draw_from(st.lists(st.integers(1, 4), min_size=12, max_size=40))
    events = draw_from(st.permutations([n % 2 == 0 for n in range(len(counts))]))
    return [
        Subject(
            case_id=f"case-{patient}-{scan}",
            patient_id=f"p{patient}",
            event=events[patient],
            centre=f"centre {patient % 3}",
            date=f"20{patient % 30:02d}-05-0{scan + 1}",
        )
        for patient, count in enumerate(counts)
        for scan in range(count)
    ]


def patient_of(split: Split) -> dict[str, str]:
    return {subject.case_id: subject.patient_id for subject in split.subjects}


@given(
    cohort=cohorts(), kind=st.sampled_from(["k-fold", "centre", "time"]), seed=st.integers(0, 9)
)
def test_no_patient_stands_on_both_sides(cohort: list[Subject], kind: str, seed: int) -> None:
    since = "2004" if kind == "time" else None
    split = draw(
        cohort,
        SplitParameters(kind=kind, folds=3, repeats=2, inner_folds=3, since=since, seed=seed),
    )
    patients = patient_of(split)
    for fold in split.folds:
        parts = [fold.held_out, *fold.inner]
        owners = [{patients[case] for case in part} for part in parts]
        assert sum(map(len, owners)) == len(set().union(*owners))
        assert sum(map(len, parts)) + len(split.left_out) == len(cohort)


@given(cohort=cohorts(), seed=st.integers(0, 9))
def test_every_case_is_scored_once_per_repeat(cohort: list[Subject], seed: int) -> None:
    split = draw(cohort, SplitParameters(folds=3, repeats=2, inner_folds=3, seed=seed))
    for repeat in (1, 2):
        scored = Counter(c for f in split.folds if f.repeat == repeat for c in f.held_out)
        assert scored == {subject.case_id: 1 for subject in cohort}


@given(cohort=cohorts(), seed=st.integers(0, 9))
def test_patients_with_the_event_are_spread_evenly(cohort: list[Subject], seed: int) -> None:
    split = draw(cohort, SplitParameters(folds=3, repeats=1, inner_folds=3, seed=seed))
    owner = {subject.case_id: subject for subject in cohort}
    for event in (True, False):
        per_fold = [
            len({owner[c].patient_id for c in fold.held_out if owner[c].event is event})
            for fold in split.folds
        ]
        assert max(per_fold) - min(per_fold) <= 1
        for fold in split.folds:
            inner = [
                len({owner[c].patient_id for c in part if owner[c].event is event})
                for part in fold.inner
            ]
            assert max(inner) - min(inner) <= 1


@given(cohort=cohorts(), order=st.randoms())
def test_the_order_of_the_cases_changes_nothing(cohort: list[Subject], order: object) -> None:
    shuffled = list(cohort)
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands over a Random
    assert draw(shuffled, FEW).hash == draw(cohort, FEW).hash


def test_a_seed_repeats_and_another_one_differs() -> None:
    cohort = subjects(60, events=20)
    first = draw(cohort, SplitParameters(seed=1))
    assert first.hash == draw(cohort, SplitParameters(seed=1)).hash
    assert first.folds != draw(cohort, SplitParameters(seed=2)).folds


def test_five_repeats_are_five_different_divisions() -> None:
    split = draw(subjects(60, events=20), SplitParameters())
    assert [fold.name for fold in split.folds[4:6]] == ["repeat 1 fold 5", "repeat 2 fold 1"]
    divisions = {
        tuple(sorted(fold.held_out for fold in split.folds if fold.repeat == repeat))
        for repeat in range(1, 6)
    }
    assert len(divisions) == 5


def test_the_inner_split_divides_the_training_part_alone() -> None:
    split = draw(subjects(50, events=15), SplitParameters())
    for fold in split.folds:
        assert len(fold.inner) == 5
        for part in range(5):
            assert sorted([*fold.fitting(part), *fold.choosing(part)]) == list(fold.training)
        assert not set(fold.training) & set(fold.held_out)


@pytest.mark.parametrize(
    "ids", [("HN-7", "hn-7"), ("HN-7", "HN - 7"), ("HN-7", "HN-007"), ("ﬁ1", "fi1")]
)
def test_ids_that_look_alike_are_refused_as_the_loader_does(ids: tuple[str, str]) -> None:
    cohort = subjects(20, events=8)
    twins = [Subject(case_id=f"X{n}", patient_id=name, event=True) for n, name in enumerate(ids)]
    with pytest.raises(SplitImpossibleError, match="patient ids differ only by case"):
        draw([*cohort, *twins], FEW)
    cases = [Subject(case_id=name, patient_id=f"Q{n}", event=True) for n, name in enumerate(ids)]
    with pytest.raises(SplitImpossibleError, match="case ids differ only by case"):
        draw([*cohort, *cases], FEW)


def test_a_case_that_stands_there_twice_is_refused() -> None:
    cohort = subjects(20, events=8)
    with pytest.raises(SplitImpossibleError, match="twice: S003"):
        draw([*cohort, cohort[3]], FEW)


def test_each_centre_is_held_out_once() -> None:
    split = draw(subjects(30, events=12, centres=("A", "B", "C")), SplitParameters(kind="centre"))
    assert [fold.name for fold in split.folds] == ["centre A", "centre B", "centre C"]
    assert split.folds[1].held_out == tuple(f"S{n:03d}" for n in range(1, 30, 3))
    assert split.folds[1].training == tuple(f"S{n:03d}" for n in range(30) if n % 3 != 1)


def test_a_centre_of_one_class_is_not_estimable() -> None:
    # Centres alternate, and the events are patients 0, 2, 4, 6: all of centre A.
    cohort = [
        Subject(case_id=f"S{n}", patient_id=f"S{n}", event=n in (0, 2, 4, 6), centre="AB"[n % 2])
        for n in range(20)
    ]
    split = draw(cohort, SplitParameters(kind="centre", inner_folds=2))
    a, b = split.folds
    assert split.why_not_estimable(a) == (
        "training: 0 patients with the event and 10 without, at least 2 of each are needed"
    )
    assert a.inner == (a.training,)
    assert split.why_untrainable(b) == ""
    assert split.why_not_estimable(b) == (
        "held out: 0 patients with the event and 10 without, 1 of each is needed"
    )


def test_cases_without_a_centre_are_left_out_with_the_reason() -> None:
    cohort = subjects(30, events=12, centres=("A", "B", None))
    split = draw(cohort, SplitParameters(kind="centre"))
    assert split.left_out == {f"S{n:03d}": "centre not recorded" for n in range(2, 30, 3)}


def test_a_patient_of_two_centres_cannot_be_held_out_with_one() -> None:
    cohort = [
        *subjects(10, events=4, centres=("A", "B")),
        Subject(case_id="X1", patient_id="X", event=True, centre="A"),
        Subject(case_id="X2", patient_id="X", event=True, centre="B"),
    ]
    with pytest.raises(SplitImpossibleError, match="several centres, by their first case: X1"):
        draw(cohort, SplitParameters(kind="centre"))


def test_one_centre_is_no_division() -> None:
    with pytest.raises(SplitImpossibleError, match="1 centres: at least 2"):
        draw(subjects(10, events=4, centres=("A",)), SplitParameters(kind="centre"))


def test_a_patient_belongs_to_the_time_of_the_first_scan() -> None:
    def at(case_id: str, patient: str, date: str | None, event: bool = False) -> Subject:
        return Subject(case_id=case_id, patient_id=patient, event=event, date=date)

    cohort = [
        at("A1", "A", "2008-11-30"),
        at("A2", "A", "2011-02-01"),
        at("B", "B", "2010"),
        at("C", "C", "2010-01-01"),
        at("D", "D", None),
        at("E1", "E", None),
        at("E2", "E", "2009-12-31"),
    ]
    split = draw(cohort, SplitParameters(kind="time", since="2010"))
    (fold,) = split.folds
    assert fold.held_out == ("B", "C")
    assert fold.training == ("A1", "A2", "E1", "E2")
    assert split.left_out == {"D": "date not recorded"}


@pytest.mark.parametrize("since", ["2001", "2030"])
def test_a_date_outside_of_accrual_is_refused(since: str) -> None:
    cohort = [
        Subject(case_id=f"S{n}", patient_id=f"S{n}", event=False, date="2010") for n in (1, 2)
    ]
    with pytest.raises(SplitImpossibleError, match=f"{since} and"):
        draw(cohort, SplitParameters(kind="time", since=since))


def test_a_date_of_another_form_is_refused() -> None:
    cohort = [Subject(case_id="S1", patient_id="S1", event=False, date="31.12.2009")]
    with pytest.raises(SplitImpossibleError, match=r"case S1: '31\.12\.2009' is no date"):
        draw(cohort, SplitParameters(kind="time", since="2010"))


def test_fewer_events_than_folds_leave_folds_that_are_not_estimable() -> None:
    split = draw(subjects(40, events=3), SplitParameters(repeats=1))
    reasons = [split.why_not_estimable(fold) for fold in split.folds]
    assert sum(reason.startswith("held out: 0 patients") for reason in reasons) == 2
    assert {len(fold.inner) for fold in split.folds} == {2, 3}


def test_more_folds_than_patients_are_refused() -> None:
    with pytest.raises(SplitImpossibleError, match="5 folds of 3 patients with the event and 4"):
        draw(subjects(7, events=3), SplitParameters())


def test_scans_of_one_patient_count_as_one_patient() -> None:
    split = draw(subjects(20, events=10, scans=3), SplitParameters(repeats=1))
    assert {len(fold.held_out) for fold in split.folds} == {12}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "at least 2"),
        ({"inner_folds": 1}, "at least 2"),
        ({"repeats": 0}, "at least 1"),
        ({"seed": -1}, "not negative"),
        ({"kind": "time"}, "`since` belongs to"),
        ({"since": "2010"}, "`since` belongs to"),
    ],
)
def test_settings_that_divide_nothing_are_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SplitParameters(**settings)
