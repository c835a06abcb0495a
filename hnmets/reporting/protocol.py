"""How training and held-out patients were kept apart."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How training and held-out patients were kept apart.

    Parameters
    ----------
    repeats, folds
        Repeats of the division, and folds in each.
    grouped_by
        What is never divided, `patient`.
    threshold_rule, calibration_rule
        How the operating threshold and the probabilities came about, and on whom.
    registered
        Comparisons that were announced before; the others explore.
    """

    split_kind: Literal["k-fold", "centre", "time"]
    folds: int
    repeats: int
    inner_folds: int
    seed: int
    split_hash: str
    grouped_by: str
    threshold_rule: str
    calibration_rule: str
    bootstrap_draws: int
    level: float
    registered: tuple[str, ...] = ()
