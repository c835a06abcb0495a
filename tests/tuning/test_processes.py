"""Workers as processes: killed, stopped, several at once, and on a machine with little on it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hnmets.tuning.plan import EVERYBODY, HeadPlan
from hnmets.tuning.records import Record, Records
from hnmets.tuning.starting import STORAGE
from tests import postgres
from tests.builders_searches import kill, start_worker, wait_until, written

# What a machine without the store may lack.
ABSENT = (
    "SimpleITK duckdb fastexcel matplotlib mlflow monai nibabel numba polars psutil psycopg "
    "pyarrow pydantic radiomics rich scipy sklearn statsmodels typer"
)


@pytest.fixture(scope="module", params=["journal", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the trials are: in the folder of the search, or on a server."""
    if request.param == "journal":
        yield ""
        return
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgres.server() as started:
        yield started


# So many that a worker who starts seconds later still finds some to try.
PLANNED = 200


def records_of(plan: HeadPlan, folder: Path, url: str) -> Records:
    return Records.open(plan, folder, storage=url, workers=2)


def trials(records: Records) -> list[Record]:
    return records.of(EVERYBODY)


@pytest.mark.slow
def test_two_workers_of_whom_one_is_killed_complete_exactly_what_was_planned(
    url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = f"head-{request.node.callspec.id}"
    plan = written(tmp_path, name=name, trials=PLANNED, rungs=())
    records = records_of(plan, tmp_path, url)
    request.addfinalizer(records.close)
    records.enqueue()
    environment = {STORAGE: url}
    first, second = (start_worker(tmp_path, "--workers", "2", **environment) for _ in range(2))
    wait_until(lambda: len({each.worker for each in trials(records) if each.worker}) == 2)
    kill(first)
    third = start_worker(tmp_path, "--workers", "2", **environment)
    assert second.wait(timeout=200) == 0
    assert third.wait(timeout=200) == 0
    found = trials(records)
    assert [record.number for record in found] == list(range(PLANNED))
    assert Counter(record.state for record in found) == {"complete": PLANNED}
    assert len({record.worker for record in found}) > 1
    assert all(len(record.aucs) == 2 for record in found)


@pytest.mark.slow
def test_the_first_signal_finishes_the_batch_and_nothing_is_lost(tmp_path: Path) -> None:
    plan = written(tmp_path, trials=200)
    records = records_of(plan, tmp_path, "")
    records.enqueue()
    worker = start_worker(tmp_path)
    wait_until(lambda: any(record.finished for record in trials(records)))
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=120) == 130
    states = Counter(record.state for record in trials(records))
    assert states["running"] == 0
    assert states["fail"] == 0
    assert (states["complete"] + states["pruned"]) % 16 == 0
    assert states["waiting"] > 0


@pytest.mark.slow
def test_a_worker_needs_numpy_torch_and_optuna_alone(tmp_path: Path) -> None:
    plan = written(tmp_path, trials=3)
    records_of(plan, tmp_path, "").enqueue()
    program = (
        "import runpy, sys\n"
        f"for name in {ABSENT.split()}: sys.modules[name] = None\n"
        f"sys.argv = ['hnmets.tuning', {str(tmp_path)!r}]\n"
        "runpy.run_module('hnmets.tuning', run_name='__main__')\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert [record.state for record in trials(records_of(plan, tmp_path, ""))] == ["complete"] * 3


def test_a_worker_without_a_search_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hnmets.tuning", str(tmp_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 3
    assert "is no folder of a search" in ended.stderr
    assert "hnmets tune status" in ended.stderr
