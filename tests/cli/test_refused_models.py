"""What must not become champion, by the commands: worse, uncalibrated, changed, half there."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from feature_store.recipe import Recipe
from feature_store.row import Row
from hnmets.registry.versions import package_in
from hnmets.tracking.opening import open_tracker
from hnmets.workflows import ablate, models_register
from hnmets.workflows.ladder import Choice
from hnmets.workflows.model_versions import model_registry
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.study_sections import View
from tests.builders_cohorts import hnmets
from tests.builders_ladders import every_modality
from tests.builders_models import view, without_a_server
from tests.builders_packages import flip_last_bit
from tests.builders_store import fill

pytestmark = pytest.mark.slow

CASES = 90
NOISE = View(name="noise by logistic", features=("noise",), model="logistic")
KILLED = """
import os, signal, sys
from cli.app import main
from hnmets.registry.versions import ModelRegistry
plain = ModelRegistry.call
def call(self, alias, version):
    if alias == "challenger":
        os.kill(os.getpid(), signal.SIGKILL)
    plain(self, alias, version)
ModelRegistry.call = call
sys.argv = ["hnmets", *sys.argv[1:]]
main()
"""


@pytest.fixture(scope="module")
def made(tracking_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """Version 1 on all features is champion, version 2 was fitted on nothing but noise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("refused") / "project"
        shutil.copytree(tracking_template, folder)
        study = with_noise(every_modality(folder, cases=CASES))
        views = (view("logistic"), NOISE)
        choice = Choice(views=views, only=tuple(each.name for each in views))
        with open_tracker(folder) as tracker:
            ablate.run(study, choice=choice, tracker=tracker)
        for each in views:
            models_register.run(study, rung=each.name)
        registry = model_registry(study)
        registry.call("champion", registry.version("1"))
        yield study


def with_noise(study: Study) -> Study:
    """Add a feature set of many columns that tell nothing."""
    rng = np.random.default_rng(11)
    columns = tuple(f"x{column}" for column in range(24))
    recipe = Recipe(name="noise", kind="table", columns=columns, parameters={"imported": True})
    rows = [
        Row(
            case_id=f"HN-{n:03d}",
            fingerprint=recipe.fingerprint,
            input_digest=f"{n}",
            values=rng.normal(size=len(columns)),
        )
        for n in range(CASES)
    ]
    fill(study.store_folder, rows, [recipe])
    return study


@pytest.fixture
def study(made: Study, tmp_path: Path) -> Study:
    shutil.copytree(made.folder, tmp_path / "project")
    return load_study(tmp_path / "project" / "study.toml", environ={})


def promoted(study: Study, version: str, *more: str) -> dict[str, dict[str, object]]:
    """Try to promote, which has to be refused; return the gates that did not hold."""
    given = ("models", "promote", version, "-s", study.file, "--json", *more)
    done = hnmets(*given, MLFLOW_TRACKING_URI="")
    assert done.returncode == 6, done.stderr
    told = json.loads(done.stdout)
    assert not told["promoted"]
    failed = {gate["name"]: gate for gate in told["gates"] if not gate["passed"]}
    assert [*failed] == told["failed"]
    return failed


def champion(study: Study) -> int:
    found = model_registry(study).called("champion")
    assert found is not None
    return found.number


def test_a_model_that_is_worse_and_uncalibrated_is_refused_by_these_gates(study: Study) -> None:
    failed = promoted(study, "2")
    assert {"champion", "baseline", "calibration slope"} <= failed.keys()
    assert str(failed["champion"]["met"]).startswith("version 1: -0.")
    slope = float(str(failed["calibration slope"]["met"]).partition(" ")[0])
    assert slope == pytest.approx(0.0, abs=0.3)
    assert champion(study) == 1


def test_a_model_whose_weights_were_changed_is_refused_whatever_the_reason(study: Study) -> None:
    registry = model_registry(study)
    folder = package_in(registry.fetch(registry.version("2"), study.folder))
    weights = folder / "members.safetensors"
    flip_last_bit(weights)
    failed = promoted(study, "2", "--reason", "it is only one bit")
    assert [*failed] == ["untouched"]
    assert "'members.safetensors' is not as it was registered" in str(failed["untouched"]["met"])
    assert champion(study) == 1


def test_a_kill_between_version_and_alias_leaves_the_champion_and_is_made_good(
    study: Study,
) -> None:
    words = ("models", "register", "-s", str(study.file), "--rung", NOISE.name)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        check=False,
        capture_output=True,
        env=without_a_server() | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    registry = model_registry(study)
    assert champion(study) == 1
    assert registry.version("3").aliases == ()
    assert hnmets(*words, MLFLOW_TRACKING_URI="").returncode == 0
    assert registry.version("4").aliases == ("challenger",)
    assert champion(study) == 1
