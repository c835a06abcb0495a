import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from hnmets.explanation.attribution import Attribution
from hnmets.reporting.attribution_figure import attribution_figure, bars_of


def attribution(values: list[float], names: tuple[str, ...] = ()) -> Attribution:
    names = names or tuple(f"size.x{place:02d}" for place in range(len(values)))
    return Attribution(
        names=names,
        modalities=("size",) * len(values),
        values=np.array(values),
        standard_errors=np.full(len(values), 0.01),
        base=-1.0,
        log_odds=-1.0 + sum(values),
    )


def test_the_strongest_stand_first_and_the_rest_is_one_bar() -> None:
    bars = bars_of(attribution([0.1, -0.5, 0.2, 0.05, -0.1]), most=3)
    assert [bar.name for bar in bars] == ["size.x01", "size.x02", "3 others"]
    assert bars[-1].value == pytest.approx(0.05)


def test_what_is_drawn_sums_up() -> None:
    whole = attribution(np.random.default_rng(0).normal(size=40).tolist())
    assert sum(bar.value for bar in bars_of(whole)) == pytest.approx(whole.values.sum())
    few = attribution([0.3, -0.2])
    assert [bar.value for bar in bars_of(few)] == [0.3, -0.2]


def test_what_raises_the_risk_has_another_colour_and_direction() -> None:
    figure = attribution_figure("HN-001", attribution([0.3]), attribution([0.4, -0.2]))
    raising, lowering = figure.axes[1].patches
    assert (raising.get_width(), lowering.get_width()) == (0.4, -0.2)
    assert raising.get_facecolor() != lowering.get_facecolor()


def test_columns_whose_names_begin_alike_can_be_told_apart() -> None:
    begin = "radiomics.tumour.log-sigma-5-0-mm-3D_gldm_"
    ends = ("SmallDependenceHighGrayLevelEmphasis", "SmallDependenceLowGrayLevelEmphasis")
    columns = attribution([0.4, -0.2], tuple(begin + end for end in ends))
    figure = attribution_figure("HN-001", attribution([0.3]), columns)
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == [f"{begin}\n{end}" for end in ends]


def test_nothing_of_the_figure_lies_outside_of_it() -> None:
    columns = attribution([0.4], ("radiomics.tumour.log-sigma-5-0-mm-3D_glszm_" + "x" * 36,))
    figure = attribution_figure("HN-001", attribution([0.3]), columns)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (label,) = [text for text in figure.texts if "log odds added" in text.get_text()]
    box = label.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
