"""`hnmets serve` answers by HTTP what the evaluation said, and changes its model when told to."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from hnmets.workflows import models_promote, models_register
from hnmets.workflows.kept_risks import risks_of
from tests.builders_cohorts import command, hnmets
from tests.builders_models import Evaluated, evaluated, without_a_server
from tests.serving.running import CANARY, ask

# Of a tabular model; the issue asks for less.
MOST_MEMORY_MB = 300


@pytest.fixture(scope="module")
def ladder(
    tmp_path_factory: pytest.TempPathFactory, tracking_template: Path
) -> Iterator[Evaluated]:
    """Version 1, all features, is champion; version 2 sees size alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("served") / "project"
        found = evaluated(folder, tracking_template)
        models_register.run(found.study)
        models_register.run(found.study, rung="size")
        models_promote.run(found.study, "1", reason="a test")
        yield found


@contextmanager
def serving(study: Path, *words: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        command("serve", "-s", study, "--port", "0", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**without_a_server(), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), process.communicate()
        yield int(line.split()[0].rpartition(":")[2]), process
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
        assert CANARY not in log
        assert "Traceback" not in log


@pytest.mark.slow
def test_the_service_replays_the_evaluation_and_follows_the_champion(ladder: Evaluated) -> None:
    study = ladder.study
    (fold, _) = ladder.found.split.folds
    kept = risks_of(study.store_folder)
    said = dict(zip(kept.patients, kept.rung("all by logistic").risk[0], strict=True))
    with serving(study.folder / "study.toml") as (port, process):
        body = {"case_ids": list(fold.held_out), "members": True}
        answer = ask(port, "/predict", body).document
        assert answer["version"] == 1
        assert len(answer["predictions"]) == 45
        for told in answer["predictions"]:
            expected = said[told["case_id"].replace("HN-", "P")]
            assert told["members"][fold.name] == pytest.approx(expected, abs=1e-6)
        assert ask(port, "/predict", {"case_ids": [CANARY]}).status == 404
        memory = psutil.Process(process.pid).memory_info().rss / 2**20
        assert memory < MOST_MEMORY_MB
        models_promote.run(study, "2", reason="another test")
        until = time.monotonic() + 30
        while ask(port, "/version").document["version"] != 2:
            assert time.monotonic() < until
            time.sleep(0.5)
    assert process.returncode == 0


@pytest.mark.slow
def test_mistakes_end_in_a_line_and_not_in_a_server_of_nothing(ladder: Evaluated) -> None:
    file = ladder.study.folder / "study.toml"
    unknown = hnmets("serve", "-s", file, "--model", "9", MLFLOW_TRACKING_URI="")
    assert (unknown.returncode, "has no version '9'" in unknown.stderr) == (2, True)
    environment = {"MLFLOW_TRACKING_URI": "", "HNMETS_SERVE_TOKEN": ""}
    bare = hnmets("serve", "-s", file, "--host", "0.0.0.0", **environment)  # noqa: S104 - refused
    assert (bare.returncode, "needs a token" in bare.stderr) == (2, True)
    assert "HNMETS_SERVE_TOKEN" in bare.stderr
    assert os.environ.get("HNMETS_SERVE_TOKEN") is None
