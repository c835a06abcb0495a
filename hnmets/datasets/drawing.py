"""Dividing patients: repeated stratified folds, one centre at a time, or by date.

The patient is the unit: patients are divided, and all cases of a patient follow. So no stratified
*group* splitter is needed, and the strata are exact.
"""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.errors import SplitImpossibleError, listed
from hnmets.datasets.fold import Fold
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject, checked, relevant

Places = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class _Patients:
    """The unit of every division, sorted by patient id."""

    cases: tuple[tuple[Subject, ...], ...]

    @cached_property
    def events(self) -> NDArray[np.bool_]:
        """Whether any case of the patient has the event."""
        return np.array([any(case.event for case in own) for own in self.cases], dtype=bool)

    def case_ids(self, places: Iterable[int]) -> tuple[str, ...]:
        """Cases of these patients, sorted."""
        return tuple(sorted(case.case_id for place in places for case in self.cases[place]))


def draw(subjects: Iterable[Subject], parameters: SplitParameters) -> Split:
    """Divide a cohort; the same cohort and seed give the same split, in whatever order it comes.

    Raises
    ------
    SplitImpossibleError
        If there are fewer patients of either class than folds, fewer than two centres, nobody
        before or after the date, or ids that look alike.
    """
    everyone = checked(subjects)
    used, left_out = _used(everyone, parameters)
    patients = _patients(used)
    kinds = {"k-fold": _by_chance, "centre": _by_centre, "time": _by_date}
    folds = [
        Fold(
            name=name,
            repeat=repeat,
            held_out=patients.case_ids(held_out),
            inner=_inner(patients, held_out, parameters, stream=number),
        )
        for number, (name, repeat, held_out) in enumerate(
            kinds[parameters.kind](patients, parameters), start=1
        )
    ]
    return Split(
        parameters=parameters,
        subjects=relevant(everyone, parameters.kind),
        folds=tuple(folds),
        left_out=left_out,
    )


def _used(
    subjects: Sequence[Subject], parameters: SplitParameters
) -> tuple[list[Subject], dict[str, str]]:
    """Return who can be divided, and why the others cannot."""
    if parameters.kind == "k-fold":
        return list(subjects), {}
    what = "centre" if parameters.kind == "centre" else "date"
    lacking = {s.patient_id for s in subjects if getattr(s, what) is None}
    if what == "date":
        # The first known date counts: a later one that is missing changes nothing.
        lacking -= {s.patient_id for s in subjects if s.date is not None}
    left_out = {s.case_id: f"{what} not recorded" for s in subjects if s.patient_id in lacking}
    return [s for s in subjects if s.case_id not in left_out], left_out


def _patients(subjects: Iterable[Subject]) -> _Patients:
    by_patient: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        by_patient[subject.patient_id].append(subject)
    return _Patients(cases=tuple(tuple(by_patient[patient]) for patient in sorted(by_patient)))


def _by_chance(
    patients: _Patients, parameters: SplitParameters
) -> Iterable[tuple[str, int, Places]]:
    with_event = int(patients.events.sum())
    without = len(patients.events) - with_event
    if max(with_event, without) < parameters.folds:
        raise SplitImpossibleError(
            f"{parameters.folds} folds of {with_event} patients with the event and {without} "
            "without"
        ).with_note("Choose fewer folds.")
    for repeat in range(1, parameters.repeats + 1):
        parts = _stratified(patients.events, parameters.folds, _state(parameters.seed, repeat, 0))
        for number, held_out in enumerate(parts, start=1):
            yield f"repeat {repeat} fold {number}", repeat, held_out


def _by_centre(
    patients: _Patients, _parameters: SplitParameters
) -> Iterable[tuple[str, int, Places]]:
    from sklearn.model_selection import LeaveOneGroupOut

    centres = [sorted({str(case.centre) for case in own}) for own in patients.cases]
    if several := [
        own[0].case_id for own, at in zip(patients.cases, centres, strict=True) if len(at) > 1
    ]:
        raise SplitImpossibleError(
            f"patients of several centres, by their first case: {listed(several)}"
        ).with_note("Give all cases of a patient the centre that treated the patient.")
    groups = [at[0] for at in centres]
    if len(set(groups)) < 2:
        raise SplitImpossibleError(f"{len(set(groups))} centres: at least 2 are needed")
    for _, held_out in LeaveOneGroupOut().split(groups, groups=groups):
        yield f"centre {groups[held_out[0]]}", 1, held_out


def _by_date(
    patients: _Patients, parameters: SplitParameters
) -> Iterable[tuple[str, int, Places]]:
    since = str(parameters.since)
    first = [min(case.date for case in own if case.date) for own in patients.cases]
    later = np.flatnonzero([date >= since for date in first])
    if len(later) in (0, len(first)):
        raise SplitImpossibleError(
            f"{len(first) - len(later)} patients before {since} and {len(later)} from then on"
        ).with_note("Choose a date that lies inside the time of accrual.")
    yield f"since {since}", 1, later


def _inner(
    patients: _Patients, held_out: Places, parameters: SplitParameters, *, stream: int
) -> tuple[tuple[str, ...], ...]:
    """Divide the training part again; fewer parts where a class has fewer patients."""
    training = np.setdiff1d(np.arange(len(patients.cases)), held_out)
    events = patients.events[training]
    rarest = int(min(events.sum(), (~events).sum()))
    parts = min(parameters.inner_folds, rarest)
    if parts < 2:
        return (patients.case_ids(training),)
    state = _state(parameters.seed, 0, stream)
    return tuple(patients.case_ids(training[part]) for part in _stratified(events, parts, state))


def _stratified(events: NDArray[np.bool_], parts: int, state: int) -> list[Places]:
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(parts, shuffle=True, random_state=state)
    with warnings.catch_warnings():
        # Fewer patients of a class than parts: the split itself says which fold it concerns.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return [chosen for _, chosen in splitter.split(events, events)]


def _state(seed: int, repeat: int, stream: int) -> int:
    """Return a state of scikit-learn's generator; one of its own for every shuffling."""
    return int(np.random.SeedSequence([seed, repeat, stream]).generate_state(1)[0])
