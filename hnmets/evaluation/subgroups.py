"""Whether the model holds for women and men, centres, sites and stages alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import Calibration, calibration
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.evaluation.estimate import Measured, NotEstimable
from hnmets.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """One row of the subgroup table.

    Parameters
    ----------
    name
        None for patients of whom the variable is unknown: they have a row of their own.
    """

    name: str | None
    n: int
    events: int
    auc: Measured
    calibration: Calibration | NotEstimable


def subgroup_table(
    predictions: Predictions,
    group: Sequence[str | None],
    bootstrap: Bootstrap,
    *,
    order: Sequence[str] = (),
    least: int = 10,
) -> tuple[Subgroup, ...]:
    """Evaluate each subgroup by itself, in a given or alphabetical order, the unknown last.

    Parameters
    ----------
    group
        n names in the order of the predictions; None where unknown.
    order
        Names that come first, in this order; the others follow alphabetically.
    least
        With fewer patients with or without the event nothing but the counts is given.

    Raises
    ------
    InvalidDataError
        If there is not one group for each patient or a risk is no probability.
    """
    if len(group) != len(predictions.patient_ids):
        raise InvalidDataError(f"{len(group)} groups for {len(predictions.patient_ids)} patients")
    present = {name for name in group if name is not None}
    first = [name for name in order if name in present]
    known = [*first, *sorted(present.difference(first))]
    names = [*known, None] if None in group else known
    labels = np.array(group, dtype=object)
    return tuple(_row(name, predictions.of(labels == name), bootstrap, least) for name in names)


def _row(name: str | None, predictions: Predictions, bootstrap: Bootstrap, least: int) -> Subgroup:
    n, events = predictions.n, predictions.events
    if min(events, n - events) < least:
        reason = f"fewer than {least} patients with or without the event"
        small = NotEstimable(reason=reason, n=n, events=events)
        return Subgroup(name=name, n=n, events=events, auc=small, calibration=small)
    return Subgroup(
        name=name,
        n=n,
        events=events,
        auc=pooled_auc(predictions, bootstrap),
        calibration=calibration(predictions, bootstrap),
    )
