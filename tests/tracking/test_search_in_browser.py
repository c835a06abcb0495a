"""A search in MLflow's pages, as a browser shows them: `.ci/run` installs one."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from matplotlib.image import imread

from hnmets.tracking.opening import open_tracker
from hnmets.workflows import tune
from hnmets.workflows.study import load_study
from hnmets.workflows.tune import Request, Tuning
from tests.browser import Page, chromium, open_page
from tests.builders_ladders import every_modality
from tests.builders_searches import EVERY_MODALITY_SEARCH
from tests.builders_tracking import address_of, ui

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A search, and the runs of its trials by name."""

    found: Tuning
    page: Page
    experiment: str
    runs: dict[str, str]

    def open(self, address: str, *words: str) -> None:
        """Open a page, and wait until it says these words."""
        self.page.open(address)
        for word in words:
            self.page.wait_for(f"document.body?.innerText.includes({json.dumps(word)})")

    def text(self) -> str:
        """What the page says, blanks as one."""
        return " ".join(str(self.page.value("document.body.innerText")).split())


@pytest.fixture(scope="module")
def shown(tracking_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    chromium()  # or skip, before the work
    folder = tmp_path_factory.mktemp("search")
    project = Path(shutil.copytree(tracking_template, folder / "project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        study = every_modality(project, cases=120)
        study.file.write_text(study.file.read_text() + EVERY_MODALITY_SEARCH)
        small = load_study(study.file, environ={}, flags={"tuning.trials": 12})
        found = tune.run(small, Request(device="cpu"))
        assert found.waiting == 0
        with ui(project) as server, open_page(folder) as page:
            page.size(1600, 1400)
            address = address_of(server)
            experiment = address.partition("?")[0].removesuffix("/runs")
            yield Shown(found=found, page=page, experiment=experiment, runs=runs_of(project))


def runs_of(project: Path) -> dict[str, str]:
    """Return MLflow's id of each run, by its name."""
    from mlflow import MlflowClient

    with open_tracker(project):  # the settings that MLflow needs
        client = MlflowClient(tracking_uri=f"sqlite:///{project / 'mlflow.db'}")
        experiments = [each.experiment_id for each in client.search_experiments()]
        found = client.search_runs(experiments, max_results=500)
    return {run.info.run_name: run.info.run_id for run in found}


def test_the_run_of_the_search_has_its_numbers(shown: Shown) -> None:
    name = shown.found.search.plan.name
    shown.open(f"{shown.experiment}/runs/{shown.runs[name]}", name, "inner_best")
    assert "calibration_slope" in shown.text()


def test_a_trial_stands_below_the_run_of_its_fold(shown: Shown) -> None:
    name, parent = "trial 0001 of everybody", f"everybody of {shown.found.search.plan.name}"
    shown.open(f"{shown.experiment}/runs/{shown.runs[name]}", name, parent)
    assert "learning_rate" in shown.text()


def test_trials_can_be_compared(shown: Shown) -> None:
    names = ["trial 0001 of everybody", "trial 0002 of everybody"]
    runs = json.dumps([shown.runs[name] for name in names])
    home, _, experiment = shown.experiment.rpartition("/experiments/")
    shown.open(
        f"{home}/compare-runs?runs={quote(runs)}&experiments={quote(json.dumps([experiment]))}",
        "Comparing 2 Runs",
        *names,
    )


def test_a_figure_of_the_search_is_drawn(shown: Shown, tmp_path: Path) -> None:
    name = shown.found.search.plan.name
    shown.open(
        f"{shown.experiment}/runs/{shown.runs[name]}/artifacts/figures/history.svg",
        "history.svg",
    )
    shown.page.wait_for("document.querySelectorAll('img, iframe').length > 0")
    shown.page.picture(tmp_path / "history.png")
    picture = imread(tmp_path / "history.png")[..., :3]
    # Text is grey; trials and the best line are what has colour.
    assert (np.ptp(picture, axis=-1) > 0.2).mean() > 1e-4
