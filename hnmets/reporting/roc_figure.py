"""ROC curves of the rungs that matter."""

from typing import TYPE_CHECKING

from hnmets.evaluation.estimate import Estimate
from hnmets.reporting.canvas import LINES, MUTED, NoFigure, canvas, shortened
from hnmets.reporting.curves import RocPoints
from hnmets.reporting.findings import Findings
from hnmets.reporting.number_text import decimal
from hnmets.reporting.rung import Rung

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_roc(findings: Findings) -> "Figure | NoFigure":
    """Draw up to four curves on one square."""
    if not isinstance(findings.main.roc, RocPoints):
        return NoFigure(reason=findings.main.roc.reason)
    figure = canvas(4.9)
    axes = figure.subplots()
    axes.set_aspect("equal")
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    for rung, (colour, dash) in zip(findings.highlighted, LINES, strict=False):
        if isinstance(rung.roc, RocPoints):
            axes.plot(
                rung.roc.false_positive_rate,
                rung.roc.sensitivity,
                color=colour,
                linestyle=dash,
                linewidth=2.0 if rung is findings.main else 1.5,
                label=_label(rung),
                zorder=4 if rung is findings.main else 3,
            )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("sensitivity")
    figure.legend(loc="outside lower center", ncols=1)
    return figure


def _label(rung: Rung) -> str:
    auc = decimal(rung.auc.value) if isinstance(rung.auc, Estimate) else "not estimable"
    return f"AUC {auc}: {shortened(rung.name, 40)}"
