"""How often each column was chosen."""

from typing import TYPE_CHECKING

from hnmets.reporting.canvas import BLUE, NoFigure, canvas, shortened, wrapped
from hnmets.reporting.findings import Findings
from hnmets.reporting.number_text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 20
_LETTERS = 60


def draw_frequency(findings: Findings) -> "Figure | NoFigure":
    """Draw the columns that most folds chose, for the headline or the first that selects."""
    selections = {selection.rung: selection for selection in reversed(findings.selections)}
    if not selections:
        return NoFigure(reason="no rung selects features")
    chosen = selections.get(findings.headline, findings.selections[0])
    features = chosen.features[:_MOST]
    if not features:
        return NoFigure(reason="no fold chose a feature, or there was none to choose from")
    names = [wrapped(feature.name, _LETTERS) for feature in features]
    row_inch = 0.5 if any("\n" in name for name in names) else 0.38
    figure = canvas(0.8 + row_inch * len(features))
    axes = figure.subplots()
    rows = range(len(features))
    axes.barh(rows, [feature.frequency for feature in features], height=0.34, color=BLUE)
    for row, feature in enumerate(features):
        # Above the bar: names of radiomics features are longer than a phone is wide.
        axes.text(0, row - 0.2, names[row], fontsize=7.5, va="bottom")
        axes.text(1.01, row, percent(feature.frequency), fontsize=8, va="center")
    axes.set(xlim=(0, 1), ylim=(len(features) - 0.5, -0.8))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.set_xlabel("share of the folds that chose it")
    axes.set_title(f" {shortened(chosen.rung, 52)}", loc="left")
    return figure
