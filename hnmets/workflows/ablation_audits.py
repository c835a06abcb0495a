"""What is done to find out whether a ladder's result is what it seems."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from hnmets.evaluation.estimate import Measured
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
    reliability
        ICC(1,1) of every perturbed feature, by column.
    """

    subgroups: tuple[SubgroupRow, ...] = ()
    controls: tuple[Control, ...] = ()
    stability: Stability | None = None
    permutation: Permutation | None = None
    reliability: Mapping[str, Measured] = field(default_factory=dict)

    @property
    def documents(self) -> dict[str, object]:
        """What was found as JSON, by file name; nothing about single patients."""
        found = {
            "subgroups.json": [asdict(row) for row in self.subgroups],
            "controls.json": [asdict(control) for control in self.controls],
            "stability.json": asdict(self.stability) if self.stability else None,
            "feature_reliability.json": {n: asdict(m) for n, m in self.reliability.items()},
            "permutation.json": asdict(self.permutation) if self.permutation else None,
        }
        return {name: document for name, document in found.items() if document}
