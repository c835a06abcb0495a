"""The figures of a report, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hnmets.reporting.calibration_figure import draw_calibration
from hnmets.reporting.canvas import NoFigure
from hnmets.reporting.decision_figure import draw_decision
from hnmets.reporting.findings import Findings
from hnmets.reporting.forest import draw_forest
from hnmets.reporting.frequency_figure import draw_frequency
from hnmets.reporting.roc_figure import draw_roc

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure, and how to read it.

    Parameters
    ----------
    title
        For those who do not see it.
    reading
        One or two sentences for a clinician.
    """

    draw: Callable[[Findings], "Figure | NoFigure"]
    title: str
    reading: str


CHARTS: dict[str, Chart] = {
    "forest": Chart(
        draw=draw_forest,
        title="Forest plot of the ladder",
        reading=(
            "Each square is the AUC of one model on the same held-out patients, the line its "
            "interval. What counts is the distance to clinical + size, not to chance. Two "
            "intervals may overlap although one model is better on the same patients: see the "
            "paired comparisons."
        ),
    ),
    "roc": Chart(
        draw=draw_roc,
        title="ROC curves",
        reading="Patients with the event found, against false alarms, at every threshold.",
    ),
    "calibration": Chart(
        draw=draw_calibration,
        title="Calibration curve with histogram of the risks",
        reading=(
            "On the dotted line, of 100 patients told 30 % about 30 have the event; below it the "
            "risks are too high, above it too low. The band is wide where the bars below show "
            "few patients."
        ),
    ),
    "decision": Chart(
        draw=draw_decision,
        title="Decision curve",
        reading=(
            "At a risk from which one would act, the curve counts patients rightly acted on, "
            "minus those wrongly acted on, weighed by that risk. A model is worth using only "
            "where it lies above acting on all and on nobody."
        ),
    ),
    "frequency": Chart(
        draw=draw_frequency,
        title="How often features were selected",
        reading=(
            "A feature that most folds choose is a finding about the cohort; one that few "
            "choose is a finding about the draw."
        ),
    ),
}
