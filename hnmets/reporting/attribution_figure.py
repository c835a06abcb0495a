"""What modalities and columns add to one patient's risk, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hnmets.reporting.canvas import BLUE, INK, ORANGE, canvas, house_style, shortened, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hnmets.explanation.attribution import Attribution

_MOST = 12
# The longest name of a radiomics feature fits in two lines.
_LETTERS = 42


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: a name, what it adds, and the standard error of that."""

    name: str
    value: float
    error: float


def bars_of(attribution: "Attribution", most: int = _MOST) -> list[Bar]:
    """Return the strongest names, and the rest as one: what is drawn still sums up."""
    order = attribution.strongest
    named = order if len(order) <= most else order[: most - 1]
    bars = [
        Bar(
            name=attribution.names[place],
            value=float(attribution.values[place]),
            error=float(attribution.standard_errors[place]),
        )
        for place in named
    ]
    if rest := order[len(named) :]:
        total = float(attribution.values[list(rest)].sum())
        bars.append(Bar(name=f"{len(rest)} others", value=total, error=0.0))
    return bars


def attribution_figure(title: str, modalities: "Attribution", columns: "Attribution") -> "Figure":
    """Draw modalities above and columns below, in log odds of the calibrated risk."""
    above, below = bars_of(modalities), bars_of(columns)
    with house_style():
        figure = canvas(1.6 + 0.3 * (len(above) + len(below)))
        figure.suptitle(shortened(title, 60), fontsize=9)
        rows = figure.subplots(2, height_ratios=[len(above) + 1, len(below) + 1])
        _draw(rows[0], above, "modalities, from the\ntraining patients' mean log odds")
        _draw(rows[1], below, "columns, from a patient\nwith the mean of every column")
        figure.supxlabel("log odds added; right of 0 raises the risk", fontsize=8)
    return figure


def _draw(axes: "Axes", bars: Sequence[Bar], title: str) -> None:
    places = range(len(bars))
    axes.barh(
        places,
        [bar.value for bar in bars],
        xerr=[bar.error for bar in bars],
        color=[ORANGE if bar.value > 0 else BLUE for bar in bars],
        ecolor=INK,
        height=0.6,
    )
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, [wrapped(bar.name, _LETTERS) for bar in bars], fontsize=6.5)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_title(title, loc="left", fontsize=8)
    axes.grid(visible=False, axis="y")
