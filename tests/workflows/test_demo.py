"""The demo says before it starts that a cohort is too small for its folds."""

import re
from pathlib import Path

import pytest

from hnmets.datasets.split_parameters import SplitParameters
from hnmets.domain.errors import UsageError
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import demo
from hnmets.workflows.enough_cases import require_enough_cases

SMALL = SyntheticCohort(cases=12, seed=1, scale=0.5)


def test_a_cohort_too_small_for_five_folds_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HNMETS_SPLIT__FOLDS", raising=False)
    with pytest.raises(UsageError, match="12 cases of seed 1 have 2 with the event") as refused:
        demo.run(tmp_path / "demo", SMALL)
    assert not (tmp_path / "demo").exists()
    (note,) = refused.value.__notes__
    (named,) = re.findall(r"--cases (\d+)", note)
    people = SyntheticCohort(cases=int(named), seed=1, scale=0.5).people()
    # Each of five folds holds out a patient with the event: the last one named is the fifth.
    assert sum(person.event for person in people) == 5
    assert people[-1].event


@pytest.mark.parametrize(("folds", "events"), [(2, 4), (3, 3), (5, 5)])
def test_the_smallest_number_named_is_enough_and_one_less_is_not(folds: int, events: int) -> None:
    split = SplitParameters(folds=folds)
    with pytest.raises(UsageError) as refused:
        require_enough_cases(SMALL, split)
    fewest = int(re.findall(r"--cases (\d+)", refused.value.__notes__[0])[0])
    enough = SyntheticCohort(cases=fewest, seed=1)
    assert sum(person.event for person in enough.people()) == events
    require_enough_cases(enough, split)
    with pytest.raises(UsageError):
        require_enough_cases(SyntheticCohort(cases=fewest - 1, seed=1), split)


def test_where_no_cohort_would_do_no_number_is_named() -> None:
    # The synthetic table has no dates.
    by_date = SplitParameters(kind="time", since="2015")
    with pytest.raises(UsageError) as refused:
        require_enough_cases(SMALL, by_date)
    assert refused.value.__notes__ == ["Choose fewer folds."]
