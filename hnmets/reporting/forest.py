"""Forest plot of the ladder: every rung with its interval, and the oracle where there is one."""

from typing import TYPE_CHECKING

from hnmets.evaluation.estimate import Estimate
from hnmets.reporting.canvas import BLUE, INK, MUTED, ORANGE, canvas, shortened
from hnmets.reporting.findings import Findings
from hnmets.reporting.number_text import decimal
from hnmets.reporting.rung import AbsentRung, Rung, Stage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_INCH, _AROUND_INCH = 0.46, 1.0
_NAME_ABOVE = 0.36


def draw_forest(findings: Findings) -> "Figure":
    """Draw one line per rung, from the first at the top to the last."""
    rows: list[Rung | AbsentRung] = [*findings.rungs, *findings.absent]
    figure = canvas(_AROUND_INCH + _ROW_INCH * len(rows))
    axes = figure.subplots()
    axes.set_ylim(len(rows) - 0.4, -0.75)
    axes.set_xlim(*_limits(findings))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0.5, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    _baseline(axes, findings)
    for row, rung in enumerate(rows):
        if isinstance(rung, Rung):
            _rung(axes, row, rung, is_main=rung is findings.main)
        else:
            _words(axes, row, str(rung.stage), "not run")
    axes.set_xlabel("AUC, pooled out of fold")
    _legend(figure, findings)
    return figure


def _limits(findings: Findings) -> tuple[float, float]:
    values = [0.5, 0.8]
    for rung in findings.rungs:
        if isinstance(rung.auc, Estimate):
            values += [rung.auc.low, rung.auc.high]
        if rung.oracle_auc is not None:
            values.append(rung.oracle_auc)
    return max(0.0, min(values) - 0.02), min(1.02, max(values) + 0.02)


def _baseline(axes: "Axes", findings: Findings) -> None:
    baseline = findings.baseline
    if baseline is not None and isinstance(baseline.auc, Estimate):
        axes.axvline(baseline.auc.value, color=ORANGE, linewidth=1, linestyle="--")


def _rung(axes: "Axes", row: int, rung: Rung, *, is_main: bool) -> None:
    auc = rung.auc
    if rung.oracle_auc is not None:
        axes.plot(
            [rung.oracle_auc], [row], marker="d", color="white", markeredgecolor=INK, zorder=4
        )
    if not isinstance(auc, Estimate):
        _words(axes, row, rung.name, "not estimable", bold=is_main)
        return
    colour = BLUE if is_main else INK
    axes.plot([auc.low, auc.high], [row, row], color=colour, linewidth=1.8)
    hollow = "white" if rung.stage is Stage.ABLATION else colour
    axes.plot(
        [auc.value],
        [row],
        marker="s",
        color=hollow,
        markeredgecolor=colour,
        markersize=6,
        zorder=5,
    )
    words = f"{decimal(auc.value)} ({decimal(auc.low)} to {decimal(auc.high)})"
    _words(axes, row, rung.name, words, bold=is_main)


def _words(axes: "Axes", row: int, name: str, words: str, *, bold: bool = False) -> None:
    """Write the name at the left and the number at the right, above the line of the rung."""
    place = axes.get_yaxis_transform()
    weight = "bold" if bold else "normal"
    for x, side, text in ((0.0, "left", shortened(name)), (1.0, "right", words)):
        axes.text(
            x,
            row - _NAME_ABOVE,
            text,
            transform=place,
            ha=side,
            va="center",
            fontsize=8.5,
            fontweight=weight,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def _legend(figure: "Figure", findings: Findings) -> None:
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], color=MUTED, linestyle=(0, (2, 2)), label="chance")]
    if findings.baseline is not None:
        keys.append(Line2D([], [], color=ORANGE, linestyle="--", label="clinical + size"))
    if any(rung.oracle_auc is not None for rung in findings.rungs):
        keys.append(Line2D([], [], marker="d", color="white", markeredgecolor=INK, label="oracle"))
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys))
