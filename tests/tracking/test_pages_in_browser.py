"""MLflow's pages over a real ladder, as a browser shows them: `.ci/run` installs one."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from hnmets.evaluation.estimate import Estimate
from hnmets.workflows import ablate
from hnmets.workflows.ablate import Ablation
from tests.browser import Page, chromium, open_page
from tests.builders_ladders import every_modality
from tests.builders_tracking import address_of, ui

pytestmark = pytest.mark.slow

# MLflow's own: it asks who is logged in where nobody can log in, and its tables resize.
_HARMLESS = ("mlflow/users/current", "ResizeObserver loop")
_CELLS = """JSON.stringify(
    [...document.querySelectorAll("[role=gridcell][col-id='%s']")]
    .map(cell => [+cell.closest("[role=row]").getAttribute("row-index"),
                  cell.innerText.trim().split("\\n").pop()])
    .sort((one, other) => one[0] - other[0]).map(pair => pair[1]))"""
_HEADERS = """JSON.stringify(
    [...document.querySelectorAll(".ag-header-viewport [role=columnheader][col-id*=metrics]")]
    .filter(header => header.getAttribute("col-id").includes("`"))
    .sort((one, other) => one.getBoundingClientRect().x - other.getBoundingClientRect().x)
    .map(header => header.getAttribute("col-id").split("`")[1]))"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A ladder, and the page that `hnmets ui` says it is on."""

    ladder: Ablation
    page: Page
    address: str

    @property
    def rungs(self) -> list[tuple[str, float]]:
        """Name of each rung's run and its AUC, in the order of the ladder."""
        found = []
        for place, scores in enumerate(self.ladder.scores, 1):
            rung, auc = scores.out_of_fold.rung, scores.measures["auc"]
            assert isinstance(auc, Estimate)
            found.append((f"{place:02d} {rung.name} ({rung.model})", round(auc.value, 4)))
        return found

    @property
    def complaints(self) -> list[str]:
        """What the console said of errors, and MLflow does not always say."""
        return [t for t in self.page.told if not any(known in t for known in _HARMLESS)]

    def cells(self, column: str) -> list[str]:
        """What stands in a column, from above; as soon as every rung has a cell."""
        script = _CELLS % column
        self.page.wait_for(f"JSON.parse({script}).length == {len(self.ladder.scores)}")
        return list(json.loads(self.page.value(script)))

    def click(self, element: str) -> None:
        """Press and release on what an expression finds, as soon as it does."""
        self.page.wait_for(f"Boolean({element})")
        self.page.value(
            f"(() => {{ const element = {element};"
            "element.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true, button: 0}));"
            "element.click(); })()"
        )


@pytest.fixture(scope="module")
def shown(tracking_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    chromium()  # or skip, before the work
    folder = tmp_path_factory.mktemp("pages")
    project = Path(shutil.copytree(tracking_template, folder / "project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        ladder = ablate.run(every_modality(project))
        with ui(project) as server, open_page(folder) as page:
            page.size(1600, 1000)
            yield Shown(ladder=ladder, page=page, address=address_of(server))


def test_the_run_table_ranks_the_rungs_and_shows_no_fold(shown: Shown) -> None:
    shown.page.open(shown.address)
    ranked = [float(text) for text in shown.cells("metrics.`auc`")]
    assert ranked == sorted((auc for _, auc in shown.rungs), reverse=True)
    names = shown.cells("attributes.`Run Name`")
    assert sorted(zip(names, ranked, strict=True)) == sorted(shown.rungs)
    assert "radiomics" in names[0]
    assert json.loads(shown.page.value(_HEADERS))[:6] == [
        *("auc", "auc_low", "auc_high"),
        *("delta_auc", "delta_auc_low", "delta_auc_high"),
    ]
    assert shown.complaints == []


def test_the_charts_have_a_bar_for_every_rung(shown: Shown, tmp_path: Path) -> None:
    shown.page.open(f"{shown.address}&compareRunsMode=CHART")
    bars = "document.querySelectorAll('.barlayer .point').length"
    # The AUC of all, the lead over clinical + size of the others, the slope of all.
    shown.page.wait_for(f"{bars} == {3 * len(shown.rungs) - 1}")
    shown.page.picture(tmp_path / "charts.png")
    picture = imread(tmp_path / "charts.png")[..., :3]
    # Text is grey; the bars are what has colour.
    coloured = np.ptp(picture, axis=-1) > 0.2
    assert 0.01 < coloured.mean() < 0.3
    assert shown.complaints == []


def test_the_compare_page_has_the_modalities_as_axes(shown: Shown, tmp_path: Path) -> None:
    shown.page.open(shown.address)
    shown.cells("metrics.`auc`")
    shown.click("document.querySelector('.ag-header-select-all:not(.ag-hidden) input')")
    shown.click(
        "[...document.querySelectorAll('button')].find(e => e.innerText.trim() == 'Compare')"
    )
    shown.page.wait_for(f"document.body.innerText.includes('Comparing {len(shown.rungs)} Runs')")
    axes = "[...document.querySelectorAll('.parcoords .axis-title')].map(e => e.textContent)"
    shown.page.wait_for(f"{axes}.length")
    assert json.loads(shown.page.value(f"JSON.stringify({axes})")) == [
        *("has clinical", "has embedding", "has radiomics"),
        "auc",
    ]
    text = " ".join(shown.page.value("document.body.innerText").split())
    assert [name for name, _ in shown.rungs if name not in text] == []
    assert shown.complaints == []


def test_a_bare_mlflow_offers_the_same_table_under_views(shown: Shown) -> None:
    table, _, _ = shown.address.partition("?")
    shown.page.open(f"{table}?workflowType=machine_learning")
    shown.click("document.querySelector('[data-testid=saved-views-trigger]')")
    shown.click(
        "[...document.querySelectorAll('[role=menuitem]')]"
        ".find(e => e.innerText.trim() == 'Which modality helps')"
    )
    ranked = [float(text) for text in shown.cells("metrics.`auc`")]
    assert ranked == sorted((auc for _, auc in shown.rungs), reverse=True)
    assert shown.complaints == []
