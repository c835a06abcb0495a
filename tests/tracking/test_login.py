"""A tracking server that does not know us: it did answer, and the next step is the token."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from hnmets.registry.versions import ModelRegistry
from hnmets.serving.tracking_guard import TrackingGuard
from hnmets.serving.tracking_settings import TrackingSettings
from hnmets.tracking.errors import TrackerLoginError, TrackerUnreachableError
from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.place import Place
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.spooled import Patience, SpooledTracker
from tests.builders_tracking import free_port, new_run


@pytest.fixture
def guarded() -> Iterator[str]:
    """The address of a guard with nothing behind it: nobody gets further."""
    guard = TrackingGuard(Starlette(), TrackingSettings(token="correct-horse-battery"))  # noqa: S106 - of a test
    server = uvicorn.Server(uvicorn.Config(guard, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def wrong_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "another-token-altogether")


@pytest.mark.usefixtures("wrong_token")
def test_a_wrong_token_is_said_with_the_variable_that_mends_it(
    guarded: str, tmp_path: Path
) -> None:
    registry = ModelRegistry(Place(project=tmp_path, chosen_uri=guarded), name="few")
    with pytest.raises(TrackerLoginError, match="does not let us in: UNAUTHENTICATED") as caught:
        registry.versions()
    (note,) = caught.value.__notes__
    assert "HNMETS_TRACKING_TOKEN_FILE" in note
    assert "mlflow.spool" not in note


@pytest.mark.usefixtures("wrong_token")
def test_without_a_login_the_events_of_a_run_wait(guarded: str, tmp_path: Path) -> None:
    place = Place(project=tmp_path, chosen_uri=guarded)
    spooled = SpooledTracker(
        place.spools,
        MlflowTracker(place, privacy=Privacy()),
        privacy=Privacy(),
        patience=Patience(first_pause_s=0.05, last_tries=1),
    )
    spooled.start(new_run())
    assert spooled.close() == 1


def test_who_only_asks_is_told_of_no_events(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    registry = ModelRegistry(Place(project=tmp_path, chosen_uri=address), name="few")
    with pytest.raises(TrackerUnreachableError, match="does not answer") as caught:
        registry.versions()
    assert "MLFLOW_TRACKING_URI" in caught.value.__notes__[0]
    assert "mlflow.spool" not in caught.value.__notes__[0]
