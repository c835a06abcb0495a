"""A model on a tracking server is registered, promoted, fetched and served as one at home."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from hnmets.tracking.opening import open_tracker
from hnmets.workflows import ablate, models_promote, models_register, models_verify, predict
from hnmets.workflows.ladder import Choice
from hnmets.workflows.serve import StudyModel
from tests.builders_ladders import every_modality
from tests.builders_tracking import free_port


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    address = f"http://127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--port", address.rpartition(":")[2]),
            *("--backend-store-uri", f"sqlite:///{folder / 'server.db'}"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while not healthy(address):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def healthy(address: str) -> bool:
    try:
        with urlopen(f"{address}/health", timeout=2) as answer:  # noqa: S310 - of this machine
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.mark.slow
def test_a_model_on_a_server_answers_as_one_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    study = every_modality(folder)
    with tracking_server(tmp_path) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with open_tracker(folder) as tracker:
            ablate.run(study, choice=Choice(only=("clinical + size",)), tracker=tracker)
        found = models_register.run(study)
        assert found.replay <= 1e-12
        assert models_promote.run(study, "1", reason="a test").promoted
        assert models_verify.run(study, "champion").replay == found.replay
        told = predict.by_cases(study, ["HN-001"])
        loaded = StudyModel(study=study, asked="champion").load()
        assert (loaded.version, loaded.identity) == (1, found.version.package)
        source = StudyModel(study=study, asked="champion")
        table = source.lookup(loaded.predictor.package, ["HN-001"])
        assert loaded.predictor.predict(table) == told.answers
    assert not (folder / "mlflow.db").exists()
