"""Decision curve: what acting on the risks is worth."""

from typing import TYPE_CHECKING

from hnmets.reporting.canvas import BLUE, INK, MUTED, ORANGE, NoFigure, canvas, shortened
from hnmets.reporting.curves import DecisionPoints
from hnmets.reporting.findings import Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_decision(findings: Findings) -> "Figure | NoFigure":
    """Draw the headline with its band beside the baseline and the two strategies without one."""
    points = findings.main.decision
    if not isinstance(points, DecisionPoints):
        return NoFigure(reason=points.reason)
    figure = canvas(4.4)
    axes = figure.subplots()
    axes.fill_between(
        points.threshold, points.low, points.high, color=BLUE, alpha=0.2, linewidth=0
    )
    axes.plot(
        points.threshold,
        points.net_benefit,
        color=BLUE,
        linewidth=2,
        label=f" {shortened(findings.main.name, 44)}",
    )
    _baseline(axes, findings)
    axes.plot(points.threshold, points.treat_all, color=INK, linestyle=":", label="act on all")
    axes.axhline(0, color=MUTED, linewidth=1.2, label="act on nobody")
    highest = max(*points.high, *points.treat_all, 0.02)
    # Acting on everybody falls without end; the part that matters is near zero.
    axes.set(xlim=(points.threshold[0], points.threshold[-1]), ylim=(-highest / 3, highest * 1.05))
    axes.set_xlabel("risk from which one would act")
    axes.set_ylabel("net benefit")
    figure.legend(loc="outside lower center", ncols=1)
    return figure


def _baseline(axes: "Axes", findings: Findings) -> None:
    baseline = findings.baseline
    if baseline is None or baseline is findings.main:
        return
    if isinstance(baseline.decision, DecisionPoints):
        axes.plot(
            baseline.decision.threshold,
            baseline.decision.net_benefit,
            color=ORANGE,
            linestyle="--",
            linewidth=1.5,
            label=f" {shortened(baseline.name, 44)}",
        )
