"""The cohort flow: how many cases were read, left out by which reason, and included."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hnmets.domain.case import Failure
from hnmets.domain.errors import NEXT_STEPS, Code

# Left out because the study says so; nobody has to mend anything.
BY_RULE = frozenset({Code.EXCLUDED, Code.OUTCOME_CENSORED})


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Rows that were left out for one reason.

    Parameters
    ----------
    by_rule
        Whether the study file asked for it; otherwise there is a defect to mend.
    """

    code: Code
    count: int
    by_rule: bool

    @property
    def next_step(self) -> str:
        """What a person can do about it."""
        return NEXT_STEPS[self.code]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What became of the rows: `read` is the sum of the exclusions and of `included`."""

    read: int
    exclusions: tuple[Exclusion, ...]
    included: int

    @property
    def excluded(self) -> int:
        """Rows left out for any reason."""
        return sum(exclusion.count for exclusion in self.exclusions)


def flow(*, read: int, included: int, failures: Sequence[Failure]) -> Flow:
    """Count the reasons, most frequent first; each failure is one row.

    Raises
    ------
    ValueError
        If rows are lost or counted twice.

    Examples
    --------
    >>> flow(read=3, included=3, failures=[]).excluded
    0
    """
    if read != included + len(failures):
        raise ValueError(f"{read} rows read, but {included} included and {len(failures)} excluded")
    counted = Counter(failure.code for failure in failures)
    exclusions = tuple(
        Exclusion(code=code, count=count, by_rule=code in BY_RULE)
        for code, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    return Flow(read=read, exclusions=exclusions, included=included)
