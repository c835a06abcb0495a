"""Calibration curve with its band, and below it where the patients are."""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING

from hnmets.evaluation.estimate import NotEstimable
from hnmets.reporting.canvas import BLUE, MUTED, ORANGE, PALE, NoFigure, canvas, shortened
from hnmets.reporting.curves import CalibrationPoints, RiskHistogram
from hnmets.reporting.findings import Findings
from hnmets.reporting.rung import Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_calibration(findings: Findings) -> "Figure | NoFigure":
    """Draw the headline's curve with its band, and the baseline's curve for comparison."""
    main, baseline = findings.main, findings.baseline
    other = None if baseline is None or baseline is main else baseline
    beside = other and _curve(other)
    return draw_curve(
        _curve(main),
        main.histogram,
        name=_name(main),
        beside={_name(other): beside} if other and isinstance(beside, CalibrationPoints) else {},
    )


def draw_curve(
    curve: CalibrationPoints | NotEstimable,
    histogram: RiskHistogram | NotEstimable,
    *,
    name: str,
    beside: Mapping[str, CalibrationPoints] = MappingProxyType({}),
) -> "Figure | NoFigure":
    """Draw a calibration curve with its band, and others by name for comparison."""
    if isinstance(curve, NotEstimable):
        return NoFigure(reason=curve.reason)
    figure = canvas(5.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    top = min(1.0, ceil(10 * max(*curve.risk, *curve.observed)) / 10)
    above.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), label="ideal")
    above.fill_between(curve.risk, curve.low, curve.high, color=BLUE, alpha=0.2, linewidth=0)
    above.plot(curve.risk, curve.observed, color=BLUE, linewidth=2, label=f" {name}")
    for other, points in beside.items():
        above.plot(
            points.risk,
            points.observed,
            color=ORANGE,
            linestyle="--",
            linewidth=1.5,
            label=f" {other}",
        )
    above.set(xlim=(0, top), ylim=(0, top), ylabel="observed share with the event")
    _patients(below, histogram)
    below.set_xlabel("predicted risk")
    figure.legend(loc="outside lower center", ncols=1)
    return figure


def _curve(rung: Rung) -> CalibrationPoints | NotEstimable:
    found = rung.calibration
    return found if isinstance(found, NotEstimable) else found.curve


def _name(rung: Rung) -> str:
    return shortened(rung.name, 44)


def _patients(axes: "Axes", histogram: RiskHistogram | NotEstimable) -> None:
    axes.set_ylabel("patients")
    if isinstance(histogram, NotEstimable):
        axes.text(0.5, 0.5, histogram.reason, transform=axes.transAxes, ha="center")
        return
    down = [-count for count in histogram.without_event]
    for counts, colour, hatch, label in (
        (histogram.with_event, ORANGE, "", "with the event (up)"),
        (down, PALE, "///", "without the event (down)"),
    ):
        axes.bar(
            histogram.edges[:-1],
            counts,
            width=histogram.edges[1] - histogram.edges[0],
            align="edge",
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.6,
            label=label,
        )
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.yaxis.set_major_formatter(lambda count, _: f"{abs(count):g}")
