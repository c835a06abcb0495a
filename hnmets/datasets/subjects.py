"""Who is divided into folds: the cases of the cohort, whose they are, and what became of them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from feature_store.snapshot import Snapshot
from hnmets.datasets.errors import SplitImpossibleError, listed
from hnmets.datasets.split_parameters import Kind
from hnmets.sources.identity import look_alikes

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, kw_only=True, order=True)
class Subject:
    """One case, as far as a split has to know it.

    Parameters
    ----------
    event
        Whether the event was seen.
    centre
        None where it was not recorded.
    date
        Of diagnosis or treatment, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; None where unknown.
    """

    case_id: str
    patient_id: str
    event: bool
    centre: str | None = None
    date: str | None = None


def subjects_of(
    snapshot: Snapshot, *, outcome: str = "outcome", dates: Mapping[str, str] | None = None
) -> tuple[Subject, ...]:
    """Return every case of a store that has a patient and an outcome, sorted.

    A split is drawn over all of them, whatever features they have: so the same folds serve
    every feature view.

    Parameters
    ----------
    outcome
        Name, label or fingerprint of the outcome's recipe.
    dates
        Date by case; the store keeps none.

    Raises
    ------
    UnknownRecipeError, AmbiguousRecipeError
        If the store has no cohort or no outcome, or several.
    SplitImpossibleError
        See `checked`.
    """
    matrix = snapshot.matrix(["cohort", outcome])
    event = matrix.values[:, matrix.columns.index(f"{snapshot.find(outcome).name}.event")]
    patients, centres = matrix.text["cohort.patient_id"], matrix.text["cohort.centre"]
    known = dates or {}
    return checked(
        Subject(
            case_id=case_id,
            patient_id=str(patients[row]),
            event=bool(event[row]),
            centre=centres[row],
            date=known.get(case_id),
        )
        for row, case_id in enumerate(matrix.case_ids)
    )


def checked(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Return the subjects sorted by case, so that no split depends on their order.

    Raises
    ------
    SplitImpossibleError
        If a case stands there twice, ids differ only by case, blanks, leading zeros or Unicode
        form (the gate of the cohort refuses them too), or a date is none.
    """
    cases = sorted(subjects, key=lambda subject: subject.case_id)
    counted = Counter(subject.case_id for subject in cases)
    if twice := [case_id for case_id, count in counted.items() if count > 1]:
        raise SplitImpossibleError(f"cases that stand there twice: {listed(twice)}")
    _refuse_look_alikes("case", (subject.case_id for subject in cases))
    _refuse_look_alikes("patient", (subject.patient_id for subject in cases))
    for subject in cases:
        if subject.date is not None and not _DATE.fullmatch(subject.date):
            raise SplitImpossibleError(
                f"case {subject.case_id}: '{subject.date}' is no date YYYY-MM-DD"
            )
    return tuple(cases)


def relevant(subjects: Iterable[Subject], kind: Kind) -> tuple[Subject, ...]:
    """Return the subjects without what a split of this kind does not go by.

    A centre or a date that is corrected later then leaves the split as it is.
    """
    return tuple(
        replace(
            subject,
            centre=subject.centre if kind == "centre" else None,
            date=subject.date if kind == "time" else None,
        )
        for subject in subjects
    )


def _refuse_look_alikes(what: str, ids: Iterable[str]) -> None:
    if alike := look_alikes(ids):
        first = next(iter(alike.values()))
        raise SplitImpossibleError(
            f"{what} ids differ only by case, blanks, leading zeros or Unicode form: "
            f"{' and '.join(map(repr, first))}"
        ).with_note("Are they one? Correct the manifest: a patient must not stand in two folds.")
