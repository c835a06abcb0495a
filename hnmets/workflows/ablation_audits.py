"""What is done to find out whether a ladder's result is what it seems."""

from dataclasses import dataclass

from hnmets.reporting.audit import Control, Permutation, Stability
from hnmets.reporting.subgroup import SubgroupRow


@dataclass(frozen=True, kw_only=True)
class Audits:
    """Everything that a ladder was asked beside its numbers.

    Parameters
    ----------
    subgroups
        The headline rung among women and men, centres, sites and stages.
    controls
        Negative controls that the store holds, and shortcuts.
    stability
        None where the store holds no perturbed contours.
    permutation
        None unless it was asked for.
    """

    subgroups: tuple[SubgroupRow, ...] = ()
    controls: tuple[Control, ...] = ()
    stability: Stability | None = None
    permutation: Permutation | None = None
