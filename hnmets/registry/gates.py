"""What has to hold before a version becomes champion."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """Thresholds of the gates.

    Parameters
    ----------
    champion_margin
        By how much the lower end of the interval may lie below the champion's AUC.
    baseline_lead
        Lead over clinical + size that the lower end of the interval has to exceed.
    slope, observed_expected
        Range of the calibration slope, and of observed over expected events.
    subgroup_auc
        No subgroup that is large enough for a number may have a lower AUC.
    risk_spread, risk_spread_worst
        Highest standard deviation of a risk under perturbed contours: of the median patient,
        and of the one at the 95th percentile.
    """

    champion_margin: float = 0.0
    baseline_lead: float = 0.0
    slope: tuple[float, float] = (0.7, 1.4)
    observed_expected: tuple[float, float] = (0.8, 1.25)
    subgroup_auc: float = 0.55
    risk_spread: float = 0.05
    risk_spread_worst: float = 0.15

    def __post_init__(self) -> None:
        """Check that every gate can be passed."""
        for name, (low, high) in (
            ("slope", self.slope),
            ("observed_expected", self.observed_expected),
        ):
            if not 0 < low < 1 < high:
                raise ValueError(f"`{name}` is a range around 1")
        if min(self.champion_margin, self.risk_spread, self.risk_spread_worst) < 0:
            raise ValueError("margins and spreads are not negative")
        if not 0 <= self.subgroup_auc < 1:
            raise ValueError("`subgroup_auc` lies between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One condition.

    Parameters
    ----------
    met, wanted
        What was found, and what would do, in words.
    yields
        Whether a reason may override it; a damaged package has none.
    """

    name: str
    passed: bool
    met: str
    wanted: str
    yields: bool = True


@dataclass(frozen=True, kw_only=True)
class GateTable:
    """All gates of a version."""

    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate holds."""
        return not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of those that do not."""
        return tuple(gate.name for gate in self.gates if not gate.passed)

    @property
    def unyielding(self) -> tuple[str, ...]:
        """Names of those that do not hold, and that no reason overrides."""
        return tuple(gate.name for gate in self.gates if not (gate.passed or gate.yields))


def table_of(gates: Iterable[Gate]) -> GateTable:
    """Return the table of some gates."""
    return GateTable(gates=tuple(gates))
