"""A model that was told the outcome does not become champion: commands from table to refusal."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hnmets.workflows.study import Study, load_study
from tests.builders_cohorts import hnmets
from tests.builders_ladders import every_modality

pytestmark = pytest.mark.slow

VIEW = """
[[evaluation.views]]
name = "with the copy"
features = ["copied", "clinical"]
model = "logistic"
"""


def run(*arguments: str | Path, code: int = 0) -> str:
    """Run a command that has to end so; return what it printed."""
    done = hnmets(*arguments, MLFLOW_TRACKING_URI="")
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tracking_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("leaky") / "project"
    shutil.copytree(tracking_template, folder)
    study = every_modality(folder)
    study.file.write_text(study.file.read_text() + VIEW)
    return load_study(study.file, environ={})


@pytest.fixture
def study(made: Study, tmp_path: Path) -> Study:
    shutil.copytree(made.folder, tmp_path / "project")
    return load_study(tmp_path / "project" / "study.toml", environ={})


def forced_in(study: Study, noise: float) -> None:
    """Import the outcome, with some noise on it, as a feature: nothing enters without a reason."""
    rng = np.random.default_rng(0)
    with (study.folder / "cohort.csv").open() as cohort:
        rows = [(row["id"], int(row["dm"])) for row in csv.DictReader(cohort)]
    table = study.folder / "copied.csv"
    lines = [f"{case},{event + noise * rng.normal():.4f}" for case, event in rows]
    table.write_text("\n".join(["id,x", *lines]) + "\n")
    given = ("features", "import", table, "-s", study.file, "--name", "copied")
    given = (*given, "--kind", "table", "--case-column", "id")
    assert "x" in run(*given, code=3)
    run(*given, "--despite", "a test of the gates")


def test_a_feature_that_is_the_outcome_stops_the_evaluation(study: Study) -> None:
    forced_in(study, noise=0.0)
    said = run("evaluate", "with the copy", "-s", study.file, code=3)
    assert "D_OUTCOME_COPY: copied.x is nearly the outcome" in said


def test_a_model_on_a_blurred_outcome_is_measured_registered_and_refused(study: Study) -> None:
    forced_in(study, noise=0.25)
    said = run("evaluate", "with the copy", "-s", study.file)
    assert "suspicious: D_AUC: copied.x" in said
    run("models", "register", "-s", study.file)
    printed = run("models", "promote", "1", "-s", study.file, "--json", code=6)
    told = json.loads(printed[: printed.rindex("}") + 1])
    (gate,) = [gate for gate in told["gates"] if gate["name"] == "leakage"]
    assert not gate["passed"]
    assert "copied.x alone tells the outcome apart" in gate["met"]
    assert "leakage" in told["failed"]
    assert json.loads(run("models", "list", "-s", study.file, "--json"))["versions"][0][
        "aliases"
    ] == ["challenger"]
