"""`mlflow models serve` runs a registered model as it is, and says what the evaluation said."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hnmets.workflows import models_register
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_risks import risks_of
from hnmets.workflows.packaging import key_file
from hnmets.workflows.store_view import study_snapshot
from tests.builders_models import evaluated, without_a_server
from tests.builders_tracking import free_port

CANARY = "CANARY-7f3"


@contextmanager
def served(project: Path, model: str, key: Path) -> Iterator[int]:
    """MLflow's own server of a registered model, started where its project lies."""
    port = free_port()
    words = ("models", "serve", "-m", model, "--env-manager", "local", "-p", str(port))
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words],
        cwd=project,
        env={
            **without_a_server(),
            # MLflow starts uvicorn by its name, as an activated environment knows it.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}",
            "HNMETS_TRAINING_KEY": str(key),
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while not answers(port):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until, "it never answered"
            time.sleep(0.5)
        yield port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        assert CANARY not in output


def answers(port: int) -> bool:
    try:
        return asked(port, "GET", "/ping")[0] == 200
    except OSError:
        return False


def asked(port: int, method: str, path: str, document: object = None) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = None if document is None else json.dumps(document)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.slow
def test_mlflow_serves_what_was_evaluated_and_tells_no_value_of_a_patient(
    tmp_path: Path, empty_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    ladder = evaluated(tmp_path / "ladder", empty_project)
    study = ladder.study
    found = models_register.run(study)
    (fold, _) = ladder.found.split.folds
    snapshot = study_snapshot(study, read_cohort(study))
    table = stored_inputs(found.package, snapshot, fold.held_out)
    rng = np.random.default_rng(0)
    names = [str(name) for name in rng.permutation([*table.columns, "case_id"])]
    columns: dict[str, Any] = {**table.columns, "case_id": list(table.case_ids)}
    data = [list(row) for row in zip(*(columns[name] for name in names), strict=True)]
    document = {
        "dataframe_split": {"columns": names, "data": data},
        "params": {"members": True},
    }
    model = f"models:/{found.name}/{found.version.number}"
    with served(study.folder, model, key_file(study)) as port:
        status, text = asked(port, "POST", "/invocations", document)
        assert status == 200, text
        answers_ = json.loads(text)["predictions"]
        kept = risks_of(study.store_folder)
        said = dict(zip(kept.patients, kept.rung(found.package.rung).risk[0], strict=True))
        assert len(answers_) == len(fold.held_out) == 45
        for answer, case_id in zip(answers_, fold.held_out, strict=True):
            assert answer["case_id"] == case_id
            risk = json.loads(answer["members"])[fold.name]
            assert risk == pytest.approx(said[case_id.replace("HN-", "P")], abs=1e-6)
            assert "trained on: the model has learned from this patient" in answer["flags"]
        # MLflow itself refuses a number of a wrong type, and repeats it to who sent it; its log,
        # which others read, does not have it.
        data[0][names.index("size.tumour.x0")] = CANARY
        wrong = {"columns": names, "data": data}
        assert asked(port, "POST", "/invocations", {"dataframe_split": wrong})[0] == 400
