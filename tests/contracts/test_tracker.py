"""Every tracker keeps the same promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from hnmets.tracking.base import Artifact, Metric, Status, Tracker
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.mlflow_tracker import KEY_TAG, MlflowTracker
from hnmets.tracking.place import Place
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.spooled import SpooledTracker
from tests.builders_tracking import (
    AT,
    Seen,
    do_the_work,
    expected,
    in_memory,
    in_mlflow,
    names_and_numbers,
    new_run,
)


@dataclass(frozen=True)
class Subject:
    """A tracker, and how to ask what it remembers once all is said."""

    tracker: Tracker
    seen: Callable[[], list[Seen]]


@pytest.fixture(params=["in memory", "spooled", "MLflow", "spooled MLflow"])
def subject(
    request: pytest.FixtureRequest, tmp_path: Path, empty_project: Path
) -> Iterator[Subject]:
    privacy = Privacy(user="canary-login")
    place = Place(project=empty_project)
    memory, mlflow = InMemoryTracker(), MlflowTracker(place, privacy=privacy)
    kept: dict[str, Callable[[], list[Seen]]] = {
        "in memory": lambda: in_memory(memory),
        "MLflow": lambda: in_mlflow(place.uri, empty_project),
    }
    if request.param in kept:
        direct: Tracker = memory if request.param == "in memory" else mlflow
        yield Subject(direct, kept[request.param])
        return
    behind: Tracker = mlflow if "MLflow" in request.param else memory
    spooled = SpooledTracker(tmp_path / "spool", behind, privacy=privacy)
    closed: list[int] = []

    def seen() -> list[Seen]:
        closed.append(spooled.close())
        assert closed == [0]
        return kept["MLflow" if "MLflow" in request.param else "in memory"]()

    yield Subject(spooled, seen)
    assert closed, "the test never looked"


class TestTracker:
    def test_a_run_has_a_name_labels_and_a_parent(self, subject: Subject) -> None:
        parent = subject.tracker.start(new_run("evaluation", key="p"))
        child = subject.tracker.start(
            new_run("fold 1", key="c", parent=parent, tags={"view": "all"}, params={"lr": "0.1"})
        )
        assert (parent, child) == ("p", "c")
        seen = {run.name: run for run in subject.seen()}
        assert seen["evaluation"].parent is None
        assert seen["fold 1"].parent == "p"
        assert seen["fold 1"].params == {"lr": "0.1"}
        assert {k: v for k, v in seen["fold 1"].tags.items() if k != KEY_TAG} == {"view": "all"}

    def test_numbers_and_curves_come_back(self, subject: Subject) -> None:
        key = subject.tracker.start(new_run())
        curve = [Metric(name="loss", value=1 / step, step=step) for step in range(1, 1501)]
        subject.tracker.log_metrics(key, [Metric(name="auc", value=0.75), *curve], at=AT)
        (seen,) = subject.seen()
        assert seen.metrics["auc"] == [(0, 0.75)]
        assert seen.metrics["loss"] == [(step, 1 / step) for step in range(1, 1501)]

    def test_files_come_back(self, subject: Subject) -> None:
        key = subject.tracker.start(new_run())
        bytes_of_a_figure = bytes(range(256))
        for artifact in (
            Artifact(name="figures/roc.png", content=bytes_of_a_figure),
            Artifact.json("table.json", {"auc": 0.7, "Größe": None}),
            Artifact.text("note.txt", "first"),
            Artifact.text("note.txt", "second"),
        ):
            subject.tracker.log_artifact(key, artifact)
        (seen,) = subject.seen()
        assert seen.artifacts == {
            "figures/roc.png": bytes_of_a_figure,
            "table.json": '{\n  "auc": 0.7,\n  "Größe": null\n}\n'.encode(),
            "note.txt": b"second",
        }

    @pytest.mark.parametrize("status", Status)
    def test_a_run_ends_as_is_said(self, subject: Subject, status: Status) -> None:
        key = subject.tracker.start(new_run())
        subject.tracker.start(new_run("still running", key="other"))
        subject.tracker.end(key, status, at=AT + timedelta(minutes=3))
        ends = {run.name: run.status for run in subject.seen()}
        assert ends == {new_run().name: status.value, "still running": None}

    def test_what_is_said_twice_is_kept_once(self, subject: Subject) -> None:
        for _ in range(2):
            do_the_work(subject.tracker)
        assert names_and_numbers(subject.seen()) == expected()


@pytest.mark.parametrize("name", ["a:b", "", "/auc", "auc/", "a/../b", "x" * 251, "a\nb"])
def test_a_name_that_mlflow_would_refuse_is_refused_at_once(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        Metric(name=name, value=1.0)
    with pytest.raises(ValueError, match="no name"):
        new_run(tags={name: "x"})
    with pytest.raises(ValueError, match="no name"):
        Artifact.text(name, "x")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_logged_as_one(value: float) -> None:
    with pytest.raises(ValueError, match="metric 'auc' is"):
        Metric(name="auc", value=value)
