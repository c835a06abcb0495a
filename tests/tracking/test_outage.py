"""A real tracking server that is down, slow, busy or dying: the work goes on, nothing is lost."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hnmets.tracking.errors import TrackerUnreachableError
from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.place import Place
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.replay import Replayed, replay
from hnmets.tracking.server import serving
from hnmets.tracking.spooled import Patience, SpooledTracker
from hnmets.workflows import tune
from hnmets.workflows.study import load_study
from tests.builders_ladders import every_modality
from tests.builders_searches import EVERY_MODALITY_SEARCH
from tests.builders_tracking import (
    Proxy,
    Unreliable,
    do_the_work,
    expected,
    free_port,
    in_mlflow,
    names_and_numbers,
    new_run,
    unreachable,
)

pytestmark = pytest.mark.slow

Fate = Callable[[int, str], str]
AT_ONCE = timedelta(0)
HASTY = Patience(
    first_pause_s=0.05, longest_pause_s=0.1, last_tries=9, still_s=1.0, settle=AT_ONCE
)


@pytest.fixture(scope="module")
def real_server(
    tracking_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a tracking server of its own, in its own folder."""
    folder = tmp_path_factory.mktemp("server")
    folder = Path(shutil.copytree(tracking_template, folder / "project"))
    with serving(Place(project=folder), port=free_port()) as server:
        yield server.address


@pytest.fixture
def proxied(real_server: str) -> Iterator[Callable[..., Proxy]]:
    """Make proxies in front of the real server."""
    proxies: list[Proxy] = []

    def make(fate: Fate, *, late_s: float = 30.0) -> Proxy:
        proxies.append(Proxy(real_server, fate, late_s=late_s))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")


def tracker_at(address: str, folder: Path) -> MlflowTracker:
    return MlflowTracker(Place(project=folder, chosen_uri=address), privacy=Privacy())


def of_experiment(address: str, experiment: str) -> list[tuple[str, object]]:
    """Names and numbers of the runs of one experiment."""
    from mlflow import MlflowClient

    found = MlflowClient(tracking_uri=address).get_experiment_by_name(experiment)
    if found is None:
        return []
    return list(names_and_numbers(in_mlflow(address, experiment_id=found.experiment_id)))


@pytest.mark.parametrize("trouble", ["nobody listens", "late", "500", "garbage", "drop"])
def test_the_work_goes_on_and_a_replay_brings_all_of_it_once(
    trouble: str, real_server: str, proxied: Callable[..., Proxy], tmp_path: Path
) -> None:
    proxy = proxied(lambda _number, _path: trouble)
    address = f"http://127.0.0.1:{free_port()}" if trouble == "nobody listens" else proxy.address
    begin = time.monotonic()
    with SpooledTracker(
        tmp_path, tracker_at(address, tmp_path), privacy=Privacy(), patience=HASTY
    ) as down:
        do_the_work(down, experiment=trouble)
    assert time.monotonic() - begin < 5.0
    assert of_experiment(real_server, trouble) == []

    # A request that hangs has to end first: until then its thread owns the events.
    sent, deadline = 0, time.monotonic() + 60
    while sent < 22 and time.monotonic() < deadline:
        sent += replay(tmp_path, tracker_at(real_server, tmp_path), settle=AT_ONCE).sent
    assert sent == 22
    assert of_experiment(real_server, trouble) == expected()
    assert replay(tmp_path, tracker_at(real_server, tmp_path)) == Replayed()


def test_whichever_answer_is_lost_no_run_and_no_number_comes_twice(
    real_server: str, proxied: Callable[..., Proxy], tmp_path: Path
) -> None:
    # Of every kind of request, each other one is carried out by a server that dies before it
    # answers: first of all the first.
    asked: Counter[str] = Counter()

    def each_other_answer_is_lost(_number: int, path: str) -> str:
        kind = path.partition("?")[0]
        asked[kind] += 1
        return "cut" if asked[kind] % 2 else "pass"

    proxy = proxied(each_other_answer_is_lost)
    patience = replace(HASTY, still_s=5.0)
    with SpooledTracker(
        tmp_path, tracker_at(proxy.address, tmp_path), privacy=Privacy(), patience=patience
    ) as dying:
        do_the_work(dying, experiment="dying")
    replay(tmp_path, tracker_at(real_server, tmp_path), settle=AT_ONCE)
    kinds = {kind.rpartition("/")[2] for kind in asked}
    assert {"create", "search", "log-batch", "update", "fold.txt"} <= kinds
    assert of_experiment(real_server, "dying") == expected()


@pytest.mark.parametrize(("settle_s", "n_runs"), [(0.0, 2), (3.5, 1)])
def test_a_start_carried_out_late_is_found_by_who_waited(
    settle_s: float,
    n_runs: int,
    real_server: str,
    proxied: Callable[..., Proxy],
    tmp_path: Path,
) -> None:
    # Without the wait there are two runs: the test can fail.
    experiment, settle = f"late {settle_s:g}", timedelta(seconds=settle_s)
    proxy = proxied(
        lambda _number, path: "late" if path.endswith("runs/create") else "pass", late_s=2.5
    )
    with SpooledTracker(
        tmp_path, Unreliable(unreachable), privacy=Privacy(), patience=HASTY
    ) as down:
        down.start(new_run(experiment=experiment))
    assert replay(tmp_path, tracker_at(proxy.address, tmp_path), settle=settle).left == 1
    deadline = time.monotonic() + 20
    while replay(tmp_path, tracker_at(real_server, tmp_path), settle=settle).left:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(max(0.0, 3.0 - settle_s))  # until the late request has arrived
    assert len(of_experiment(real_server, experiment)) == n_runs


def test_a_server_that_comes_and_goes_has_every_fold_in_the_end(
    real_server: str, proxied: Callable[..., Proxy], tmp_path: Path
) -> None:
    fates = ["pass", "500", "pass", "pass", "drop", "pass", "cut", "pass", "pass", "garbage"]
    proxy = proxied(lambda number, _path: fates[number % len(fates)])
    patience = Patience(first_pause_s=0.01, longest_pause_s=0.05, still_s=5.0, settle=AT_ONCE)
    with SpooledTracker(
        tmp_path, tracker_at(proxy.address, tmp_path), privacy=Privacy(), patience=patience
    ) as flapping:
        do_the_work(flapping, folds=10, experiment="flapping")
    replay(tmp_path, tracker_at(real_server, tmp_path), settle=AT_ONCE)
    assert of_experiment(real_server, "flapping") == expected(10)


def test_a_search_without_its_server_goes_on_and_a_replay_brings_every_trial_once(
    real_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens, so nothing hangs; the replay shall not give up on a busy machine.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    study = every_modality(tmp_path, cases=90)
    study.file.write_text(study.file.read_text() + EVERY_MODALITY_SEARCH)
    small = load_study(study.file, environ={}, flags={"tuning.trials": 3})
    address, spools = f"http://127.0.0.1:{free_port()}", tmp_path / "mlflow.spool"
    with SpooledTracker(
        spools, tracker_at(address, tmp_path), privacy=Privacy(), patience=HASTY
    ) as down:
        found = tune.run(small, tune.Request(device="cpu"), tracker=down)
    assert found.complete
    assert found.waiting > 0
    assert replay(spools, tracker_at(real_server, tmp_path), settle=AT_ONCE).left == 0
    names = [name for name, _ in of_experiment(real_server, small.about.name)]
    studies = [each.study for each in found.studies]
    trials = [f"trial {number:04d} of {each}" for each in studies for number in range(3)]
    search = found.search.plan.name
    assert sorted(names) == sorted([search, *(f"{e} of {search}" for e in studies), *trials])


def test_an_error_tells_no_password(tmp_path: Path) -> None:
    tracker = tracker_at(f"http://jane:canary@127.0.0.1:{free_port()}", tmp_path)
    with pytest.raises(TrackerUnreachableError) as caught:
        tracker.start(new_run())
    assert "canary" not in str(caught.value)
