"""The report as a browser shows it: `.ci/run` installs one."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from hnmets.reporting.catalog import CHARTS
from hnmets.reporting.explained import ExplainedCase
from hnmets.reporting.findings import Findings
from hnmets.reporting.html import render
from tests.browser import arguments

# Headless windows are never as narrow as a phone; a frame is.
_FRAME = """<!DOCTYPE html><title>frame</title><pre id="told"></pre>
<iframe id="frame" src="report.html" style="width:{width}px;height:900px;border:0"></iframe>
<script>
document.getElementById("frame").addEventListener("load", function () {{
  const report = this.contentDocument, page = report.documentElement;
  const boxes = [...report.querySelectorAll("figure svg")].map(picture => {{
    const box = picture.getBoundingClientRect();
    return [Math.round(box.left), Math.round(box.right), Math.round(box.height)];
  }});
  const letters = [...report.querySelectorAll("figure svg text")].map(
    text => text.getBoundingClientRect().height);
  const images = [...report.querySelectorAll("img")].map(picture => {{
    const box = picture.getBoundingClientRect();
    return [picture.naturalWidth, Math.round(box.left), Math.round(box.right)];
  }});
  const outside = [...report.querySelectorAll("body *")].filter(
    e => !e.closest("svg") && !e.closest("details:not([open])") && !e.closest("thead")
      && e.getBoundingClientRect().right > page.clientWidth + 1).map(
    e => e.tagName + " " + e.textContent.trim().slice(0, 40));
  const style = getComputedStyle(report.body);
  document.getElementById("told").textContent = JSON.stringify({{
    scroll: page.scrollWidth, client: page.clientWidth, boxes, images, outside,
    smallest: Math.min(...letters), colour: style.color, background: style.backgroundColor,
  }});
}});
</script>"""

Shown = Callable[[Findings, int], tuple[dict[str, object], str]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("browser")
    browser = arguments(folder / "profile")

    def show(findings: Findings, width: int) -> tuple[dict[str, object], str]:
        (folder / "report.html").write_text(render(findings), encoding="utf-8")
        (folder / "frame.html").write_text(_FRAME.format(width=width), encoding="utf-8")
        run = subprocess.run(
            [
                *browser,
                "--allow-file-access-from-files",
                "--enable-logging=stderr",
                "--window-size=1600,1000",
                "--virtual-time-budget=10000",
                "--dump-dom",
                (folder / "frame.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        told = re.search(r'<pre id="told">(.*?)</pre>', run.stdout, re.DOTALL)
        assert told is not None
        assert told[1], "the report did not load"
        console = "\n".join(line for line in run.stderr.splitlines() if "CONSOLE" in line)
        return json.loads(told[1].replace("&gt;", ">").replace("&amp;", "&")), console

    return show


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_is_complete_and_quiet(full: Findings, shown: Shown, width: int) -> None:
    told, console = shown(full, width)
    assert console == ""
    assert len(told["boxes"]) == len(CHARTS)
    for left, right, height in told["boxes"]:
        assert 0 <= left < right <= width
        assert height > 150
    assert len(told["images"]) == 3 * len(full.explained)
    for loaded, left, right in told["images"]:
        assert loaded > 300
        assert 0 <= left < right <= width
        assert right - left > 200
    assert told["outside"] == []
    assert told["scroll"] <= told["client"]


def test_a_phone_shows_letters_of_a_size_to_read_dark_on_white(
    few: Findings, shown: Shown
) -> None:
    told, console = shown(few, 390)
    assert console == ""
    assert told["smallest"] >= 8
    assert (told["colour"], told["background"]) == ("rgb(26, 26, 26)", "rgb(255, 255, 255)")
    assert told["scroll"] <= told["client"]


def _named(case: ExplainedCase, long: str) -> ExplainedCase:
    assert not isinstance(case.image, str)
    bars = tuple(replace(bar, name=long) for bar in case.columns.bars)
    regions = tuple(replace(each, region=long) for each in case.image.regions)
    return replace(
        case,
        case_id=long,
        columns=replace(case.columns, bars=bars),
        image=replace(case.image, network=long, regions=regions),
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_long_names_widen_nothing(full: Findings, shown: Shown, width: int) -> None:
    long = "radiomics_" * 30
    rungs = [replace(rung, model=long, contains=(long,)) for rung in full.rungs]
    rungs[0] = replace(rungs[0], name=long)
    named = replace(
        full,
        study=long,
        rungs=tuple(rungs),
        subgroups=tuple(replace(row, variable=long, group=long) for row in full.subgroups),
        explained=tuple(_named(case, long) for case in full.explained),
    )
    told, console = shown(named, width)
    assert console == ""
    assert told["outside"] == []
    assert told["scroll"] <= told["client"]
