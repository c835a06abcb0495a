"""`hnmets ui`: the real pages over a real database, on this machine alone."""

import json
import re
import signal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from hnmets.tracking.opening import open_tracker
from hnmets.tracking.place import Place
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.server import serving
from hnmets.tracking.spooled import Patience, SpooledTracker
from tests.builders_cohorts import hnmets
from tests.builders_studies import write
from tests.builders_tracking import (
    Unreliable,
    address_of,
    do_the_work,
    free_port,
    ui,
    unreachable,
)


def asked(address: str, path: str, content: object = None) -> bytes:
    body = None if content is None else json.dumps(content).encode()
    request = Request(f"{address}/{path}", body, {"Content-Type": "application/json"})  # noqa: S310  # loopback
    with urlopen(request, timeout=20) as answer:  # noqa: S310  # loopback
        return bytes(answer.read())


def test_a_project_without_runs_says_so(tmp_path: Path) -> None:
    done = hnmets("ui", "--study", tmp_path / "study.toml", "--no-open", MLFLOW_TRACKING_URI="")
    assert done.returncode == 2
    assert "there are no runs in" in done.stderr
    assert not (tmp_path / "mlflow.db").exists()


def test_where_a_server_keeps_the_runs_its_address_is_shown(tmp_path: Path) -> None:
    uri = "http://jane:canary@127.0.0.1:9"
    done = hnmets("ui", "--study", tmp_path / "s.toml", "--no-open", MLFLOW_TRACKING_URI=uri)
    assert (done.returncode, done.stdout.split()) == (0, ["http://127.0.0.1:9"])
    assert done.stderr == "open the study's experiment there, then Views → Which modality helps\n"


@pytest.mark.slow
def test_where_a_server_knows_the_study_its_rungs_are_shown(empty_project: Path) -> None:
    study = empty_project / "study.toml"
    with serving(Place(project=empty_project), port=free_port()) as server:
        asked = ("ui", "--study", study, "--no-open")
        write(empty_project, toml='[study]\nname = "a study"\n[cohort]\nimage = "{case}.nii"\n')
        known = hnmets(*asked, MLFLOW_TRACKING_URI=f"{server.address}/")
        unknown = hnmets(*asked, MLFLOW_TRACKING_URI=server.address, HNMETS_STUDY__NAME="new")
    rungs = f"{server.address}/#/experiments/1/runs?viewStateShareKey=which-modality-helps"
    assert known.stdout.startswith(rungs), known.stderr
    assert known.stderr == ""
    assert unknown.stdout == f"{server.address}\n"
    assert unknown.stderr.startswith("open the experiment 'new' there, then Views")


@pytest.mark.slow
def test_the_pages_show_all_runs_and_end_with_ctrl_c(empty_project: Path) -> None:
    with open_tracker(empty_project) as tracker:
        do_the_work(tracker, prefix="sent")
    with SpooledTracker(
        empty_project / "mlflow.spool",
        Unreliable(unreachable),
        privacy=Privacy(),
        patience=Patience(last_tries=1),
    ) as down:
        do_the_work(down, prefix="waiting")
    with ui(empty_project) as server:
        page = address_of(server)
        address, _, place = page.partition("/#/")
        assert address.startswith("http://127.0.0.1:")
        assert place.startswith("experiments/1/runs?viewStateShareKey=which-modality-helps")
        family = psutil.Process(server.pid).children(recursive=True)
        found = json.loads(asked(address, "api/2.0/mlflow/runs/search", {"experiment_ids": ["1"]}))
        # The ones of the template are deleted; 6 were sent, 6 waited.
        assert len(found["runs"]) == 12
        fold = next(run for run in found["runs"] if run["info"]["run_name"] == "fold 2")
        file = f"get-artifact?run_id={fold['info']['run_id']}&path=notes/fold.txt"
        assert asked(address, file) == b"fold 2"
        assert re.search(b"<title>.*MLflow", asked(address, ""), re.IGNORECASE)
        with pytest.raises(HTTPError, match=r"40[34]"):  # commands over the network are off
            asked(address, "ajax-api/3.0/jobs", {"function_fullname": "x", "params": {}})
        listening = {
            connection.laddr.ip
            for process in family
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 0
        assert server.stderr is not None
        assert "22 waiting events sent" in server.stderr.read()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
