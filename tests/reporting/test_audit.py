"""What a control's intervals say, and that they say nothing where there are none."""

import pytest

from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.reporting.audit import Control

NONE = NotEstimable(reason="one class", n=30, events=0)


def estimate(low: float) -> Estimate:
    return Estimate(
        value=low + 0.1, low=low, high=low + 0.2, n=300, events=90, level=0.95, method="bootstrap"
    )


@pytest.mark.parametrize(
    ("lead", "is_beaten"),
    [(estimate(0.01), True), (estimate(0.0), False), (NONE, None), (None, None)],
)
def test_a_control_is_beaten_where_the_lead_lies_above_zero(
    lead: Measured | None, is_beaten: bool | None
) -> None:
    control = Control(kind="shortcut", name="centre", what="", auc=estimate(0.4), lead=lead)
    assert control.is_beaten is is_beaten


@pytest.mark.parametrize(
    ("auc", "above"), [(estimate(0.51), True), (estimate(0.5), False), (NONE, False)]
)
def test_a_control_knows_something_where_its_auc_lies_above_chance(
    auc: Measured, above: bool
) -> None:
    assert Control(kind="shortcut", name="centre", what="", auc=auc).above_chance is above
