"""Whether a synthetic cohort has patients enough for the folds of a study."""

from collections.abc import Sequence
from dataclasses import replace

from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import SplitImpossibleError
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject
from hnmets.domain.errors import UsageError
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.sources.synthetic.person import Person

# One event in a hundred patients is rarer than any outcome model here: more would not help.
_MOST_PER_FOLD = 100


def require_enough_cases(parameters: SyntheticCohort, split: SplitParameters) -> None:
    """Draw the split before anything is made, and look at every fold.

    Raises
    ------
    UsageError
        If a fold could not be learned from or scored; it names the smallest number of cases
        that would do.
    """
    if _suffices(parameters.people(), split):
        return
    most = _MOST_PER_FOLD * split.folds
    larger = replace(parameters, cases=max(most, parameters.cases)).people()
    fewest = next(
        (n for n in range(parameters.cases + 1, most) if _suffices(larger[:n], split)), None
    )
    events = sum(person.event for person in parameters.people())
    raise UsageError(
        f"{parameters.cases} cases of seed {parameters.seed} have {events} with the event: too "
        f"few for {split.label}"
    ).with_note("Choose fewer folds." if fewest is None else f"Choose --cases {fewest} or more.")


def _suffices(people: Sequence[Person], split: SplitParameters) -> bool:
    """Whether every fold has both classes to learn from and to score."""
    subjects = [
        Subject(
            case_id=person.case_id,
            patient_id=person.patient_id,
            event=person.event,
            centre=person.centre.name,
        )
        for person in people
    ]
    try:
        drawn = draw(subjects, split)
    except SplitImpossibleError:
        return False
    return not any(map(drawn.why_not_estimable, drawn.folds))
