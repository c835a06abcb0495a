import re
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.image import imread

from hnmets.evaluation.estimate import NotEstimable
from hnmets.reporting.canvas import NoFigure, house_style, inline_svg
from hnmets.reporting.catalog import CHARTS
from hnmets.reporting.figures import write_figures
from hnmets.reporting.findings import Findings
from hnmets.reporting.rung import Stage
from hnmets.reporting.selected import SelectedFeature
from tests.builders_findings import without


def svg(findings: Findings, name: str) -> str:
    with house_style():
        figure = CHARTS[name].draw(findings)
    assert not isinstance(figure, NoFigure)
    return inline_svg(figure, name)


def words(picture: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture)


def test_every_figure_is_written_in_both_forms(full: Findings, tmp_path: Path) -> None:
    files = write_figures(full, tmp_path)
    assert {file.name for file in files} == {
        f"{name}.{kind}" for name in CHARTS for kind in ("svg", "png")
    }
    assert imread(tmp_path / "forest.png").shape[1] == 880


@pytest.mark.parametrize("name", CHARTS)
def test_one_evaluation_gives_one_picture(full: Findings, name: str) -> None:
    assert svg(full, name) == svg(full, name)


def test_the_forest_writes_each_rung_with_its_interval(full: Findings) -> None:
    written = words(svg(full, "forest"))
    for rung in full.rungs:
        numbers = f"{rung.auc.value:.3f} ({rung.auc.low:.3f} to {rung.auc.high:.3f})"
        assert numbers in written
    assert written.index("volume") < written.index("radiomics, tumour")


def test_the_oracle_is_drawn_where_there_is_one(full: Findings) -> None:
    blind = replace(full, rungs=tuple(replace(rung, oracle_auc=None) for rung in full.rungs))
    assert "oracle" in words(svg(full, "forest"))
    assert "oracle" not in words(svg(blind, "forest"))


def test_a_rung_that_was_not_run_has_a_line_in_the_forest(full: Findings) -> None:
    assert {"deep", "not run"} <= set(words(svg(without(full, Stage.DEEP), "forest")))


def test_a_curve_that_the_data_do_not_give_is_replaced_by_the_reason(few: Findings) -> None:
    drawn = CHARTS["calibration"].draw(few)
    assert drawn == NoFigure(reason="needs 10 patients with and without the event")


def test_without_an_interval_the_forest_says_so(full: Findings) -> None:
    none = NotEstimable(reason="no event", n=4, events=0)
    rungs = tuple(replace(rung, auc=none, oracle_auc=None) for rung in full.rungs)
    assert "not estimable" in words(svg(replace(full, rungs=rungs), "forest"))


def test_features_whose_names_begin_alike_differ_in_the_figure(full: Findings) -> None:
    begin = "radiomics.tumour.log-sigma-5-0-mm-3D_glszm_"
    ends = ["SizeZoneNonUniformity", "SizeZoneNonUniformityNormalized"]
    features = tuple(SelectedFeature(name=begin + end, frequency=1.0) for end in ends)
    (selection,) = full.selections
    chosen = replace(selection, features=features)
    written = words(svg(replace(full, selections=(chosen,)), "frequency"))
    assert set(ends) <= set(written)
    assert begin in written
    assert not any(feature.name in written for feature in selection.given)


def test_names_are_neither_formulas_nor_markup(full: Findings) -> None:
    hostile = '_$x^2$ <b> id="a" \x1b \u6f22'
    rung = replace(full.main, name=hostile, versus_previous=None)
    rungs = [rung if other is full.main else other for other in full.rungs]
    rungs[-1] = replace(rungs[-1], versus_previous=None)
    named = replace(
        full,
        headline=hostile,
        rungs=tuple(rungs),
        selections=(),
        controls=(),
        stability=None,
        permutation=None,
        published=None,
        explained=(),
    )
    for name in ("forest", "roc", "calibration", "decision"):
        written = "\n".join(words(svg(named, name)))
        assert '_$x^2$ &lt;b&gt; id="a" \\x1b \u6f22' in written
