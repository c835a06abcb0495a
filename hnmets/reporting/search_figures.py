"""What a search of settings looks like: its course, and which settings made the difference."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hnmets.reporting.canvas import (
    BLUE,
    GRID,
    MUTED,
    ORANGE,
    PALE,
    canvas,
    house_style,
    image_bytes,
    shortened,
)
from hnmets.tuning.space import BETWEEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hnmets.tuning.records import Record

_AUC = "mean inner AUC"
_ROW_INCH, _AROUND_INCH, _SLICE_INCH = 0.26, 0.8, 1.75
_MOST_AXES = 6
_BEST_SHARE = 0.1
_MOST_LETTERS = 15
# A setting whose largest value is that many times its smallest is drawn by its logarithm.
_LOGARITHMIC = 20.0


def search_figures(
    records: Sequence["Record"], importance: Mapping[str, float]
) -> dict[str, bytes]:
    """Return the figures of a study as SVG, by name; none of a study without a value.

    Where no setting differs among the trials that were trained to their end, there is none of the
    settings.

    Parameters
    ----------
    importance
        Of the settings, falling.
    """
    scored = [record for record in records if record.value is not None]
    complete = [record for record in scored if record.state == "complete"]
    if not complete:
        return {}
    drawings: dict[str, Callable[[], Figure]] = {"history": lambda: draw_history(scored)}
    if names := _ordered(complete, importance):
        drawings["slice"] = lambda: draw_slices(complete, names)
        drawings["parallel"] = lambda: draw_parallel(complete, names)
    if importance:
        drawings["importance"] = lambda: draw_importance(importance)
    figures = {}
    for name, draw in drawings.items():
        with house_style():
            figure = draw()
        figures[name] = image_bytes(figure, "svg")
    return figures


def draw_history(scored: Sequence["Record"]) -> "Figure":
    """Draw the value of each trial, and the best so far."""
    from matplotlib.ticker import MaxNLocator

    figure = canvas(2.6)
    axes = figure.subplots()
    for state, colour, label in (
        ("pruned", PALE, "ended early"),
        ("complete", BLUE, "trained to its end"),
    ):
        own = [record for record in scored if record.state == state]
        axes.scatter(_numbers(own), _values(own), s=9, color=colour, label=label, linewidths=0)
    complete = [record for record in scored if record.state == "complete"]
    best = np.maximum.accumulate(_values(complete))
    axes.step(_numbers(complete), best, where="post", color=ORANGE, linewidth=1.2, label="best")
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(_AUC)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def draw_importance(importance: Mapping[str, float]) -> "Figure":
    """Draw how much each setting decides."""
    names = list(importance)
    figure = canvas(_AROUND_INCH + _ROW_INCH * len(names))
    axes = figure.subplots()
    axes.barh(range(len(names)), list(importance.values()), color=BLUE, height=0.6)
    axes.set_yticks(range(len(names)), [shortened(name, 22) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("importance (PED-ANOVA)")
    return figure


def draw_slices(complete: Sequence["Record"], names: Sequence[str]) -> "Figure":
    """Draw the value against each setting."""
    rows = -(-len(names) // 2)
    figure = canvas(0.3 + _SLICE_INCH * rows)
    grid = figure.subplots(rows, 2, squeeze=False, sharey=True).ravel()
    for axes, name in zip(grid, names, strict=False):
        own = [record for record in complete if name in record.params]
        axes.scatter(_places(own, name, axes), _values(own), s=8, color=BLUE, linewidths=0)
        axes.set_title(shortened(name, 26), loc="left")
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    figure.supylabel(_AUC, fontsize=9)
    return figure


def draw_parallel(complete: Sequence["Record"], names: Sequence[str]) -> "Figure":
    """Draw each trial as a line through its settings; the best tenth in colour."""
    shown = [n for n in names if all(n in record.params for record in complete)][:_MOST_AXES]
    figure = canvas(3.2)
    axes = figure.subplots()
    scaled = [_scaled(_coordinates([r.params[name] for r in complete])[0]) for name in shown]
    values = np.array(_values(complete))
    lines = np.column_stack([*scaled, _scaled(values)])
    order = np.argsort(values, kind="stable")
    best = set(order[-max(1, round(_BEST_SHARE * len(order))) :].tolist())
    for row in order.tolist():
        colour, width = (BLUE, 1.1) if row in best else (GRID, 0.5)
        axes.plot(lines[row], color=colour, linewidth=width)
    for place, name in enumerate(shown):
        _ends(axes, place, [record.params[name] for record in complete])
    axes.set_xticks(
        range(len(shown) + 1),
        [*(shortened(name, 18) for name in shown), "inner AUC"],
        rotation=30,
        ha="right",
    )
    axes.set_yticks([])
    axes.set_ylim(-0.12, 1.12)
    axes.set_title(f"the best {len(best)} of {len(complete)} in blue", loc="left")
    return figure


def _ends(axes: "Axes", place: int, values: Sequence[str | float]) -> None:
    """Write the smallest and the largest value at the ends of an axis."""
    words = sorted({v for v in values if isinstance(v, str)})
    low, high = (words[0], words[-1]) if words else (min(values), max(values))
    for y, value, side in ((-0.03, low, "top"), (1.03, high, "bottom")):
        text = _brief(value) if isinstance(value, str) else f"{value:.3g}"
        axes.text(place, y, text, va=side, ha="center", fontsize=7, color=MUTED)


def _ordered(complete: Sequence["Record"], importance: Mapping[str, float]) -> list[str]:
    """Return the settings that differ, the most important first."""
    names = dict.fromkeys(name for record in complete for name in record.params)
    differ = [n for n in names if len({r.params[n] for r in complete if n in r.params}) > 1]
    return sorted(differ, key=lambda name: -importance.get(name, 0.0))


def _places(own: Sequence["Record"], name: str, axes: "Axes") -> NDArray[np.float64]:
    """Return where the values of a setting stand; words become ticks."""
    values = [record.params[name] for record in own]
    numbers, words = _coordinates(values)
    if words:
        axes.set_xticks(range(len(words)), [_brief(word) for word in words])
        axes.set_xlim(-0.5, len(words) - 0.5)
        axes.tick_params(axis="x", labelsize=7, rotation=90)
        return numbers + np.random.default_rng(0).uniform(-0.15, 0.15, len(numbers))
    if _is_logarithmic(np.array(values, dtype=np.float64)):
        axes.set_xscale("log")
        # Decades alone, as plain numbers: the house style knows no formulas.
        axes.xaxis.set_major_formatter(lambda number, _place: f"{number:g}")
        axes.xaxis.set_minor_formatter(lambda _number, _place: "")
    return np.array(values, dtype=np.float64)


def _coordinates(values: Sequence[str | float]) -> tuple[NDArray[np.float64], list[str]]:
    """Return numbers, logarithms of those that span decades, or places among sorted words."""
    if any(isinstance(value, str) for value in values):
        words = sorted({str(value) for value in values})
        return np.array([words.index(str(value)) for value in values], dtype=np.float64), words
    numbers = np.array(values, dtype=np.float64)
    return (np.log(numbers) if _is_logarithmic(numbers) else numbers), []


def _brief(word: str) -> str:
    """Return `tumour + ring` for `radiomics.tumour + radiomics.ring`."""
    parts = [part.rpartition(".")[2] for part in word.split(BETWEEN)]
    return shortened(BETWEEN.join(parts), _MOST_LETTERS)


def _is_logarithmic(numbers: NDArray[np.float64]) -> bool:
    return bool(numbers.min() > 0 and numbers.max() > _LOGARITHMIC * numbers.min())


def _scaled(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = np.ptp(numbers)
    found: NDArray[np.float64] = (numbers - numbers.min()) / (spread if spread > 0 else 1.0)
    return found


def _numbers(records: Sequence["Record"]) -> list[int]:
    return [record.number for record in records]


def _values(records: Sequence["Record"]) -> list[float]:
    return [record.value or 0.0 for record in records]
