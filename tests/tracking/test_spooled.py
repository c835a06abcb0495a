import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hnmets.tracking.base import Artifact, Metric, NewRun
from hnmets.tracking.errors import TrackerRefusedError, TrackerUnreachableError
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.replay import Replayed, replay
from hnmets.tracking.spooled import Patience, SpooledTracker
from tests.builders_tracking import (
    AT,
    Unreliable,
    do_the_work,
    expected,
    in_memory,
    names_and_numbers,
    new_run,
    unreachable,
)

HASTY = Patience(first_pause_s=0.01, longest_pause_s=0.02, still_s=0.5)


def spooled(folder: Path, tracker: Unreliable | InMemoryTracker) -> SpooledTracker:
    return SpooledTracker(folder, tracker, privacy=Privacy(), patience=HASTY)


def test_a_tracker_that_is_down_costs_no_event_and_no_time(tmp_path: Path) -> None:
    tracker = Unreliable(unreachable)
    begin = time.monotonic()
    with spooled(tmp_path, tracker) as down:
        do_the_work(down)
    assert time.monotonic() - begin < 3.0
    assert tracker.kept.runs == {}
    # 1 start, 5 × (start, metrics, file, end), 1 end
    assert replay(tmp_path, tracker.kept) == Replayed(sent=22)
    assert names_and_numbers(in_memory(tracker.kept)) == expected()
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_that_hangs_does_not_keep_the_work_waiting(tmp_path: Path) -> None:
    released = threading.Event()
    tracker = Unreliable(lambda: released.wait(30.0))
    begin = time.monotonic()
    hanging = spooled(tmp_path, tracker)
    do_the_work(hanging)
    said = time.monotonic() - begin
    left = hanging.close()
    assert (said < 2.0, time.monotonic() - begin < 4.0, left) == (True, True, 22)
    # Its process still lives: nobody else may send these events.
    assert replay(tmp_path, InMemoryTracker()) == Replayed()
    released.set()


def test_a_tracker_that_comes_back_gets_everything_by_the_end(tmp_path: Path) -> None:
    calls = iter(range(10_000))

    def two_of_three_fail() -> None:
        if next(calls) % 3:
            unreachable()

    tracker = Unreliable(two_of_three_fail)
    with spooled(tmp_path, tracker) as flapping:
        do_the_work(flapping)
        deadline = time.monotonic() + 20
        while len(tracker.kept.runs) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
    replay(tmp_path, tracker.kept)  # the end of the parent run may wait
    assert names_and_numbers(in_memory(tracker.kept)) == expected()


def test_the_next_evaluation_sends_what_the_last_one_could_not(tmp_path: Path) -> None:
    with spooled(tmp_path, Unreliable(unreachable)) as down:
        do_the_work(down, prefix="first")
    tracker = InMemoryTracker()
    with spooled(tmp_path, tracker) as up:
        do_the_work(up, prefix="second")
    assert [key for key in tracker.runs if key.endswith("-parent")] == [
        "first-a_study-parent",
        "second-a_study-parent",
    ]
    assert len(tracker.runs) == 12


def test_a_replay_that_is_stopped_again_and_again_goes_on_where_it_was(tmp_path: Path) -> None:
    with spooled(tmp_path, Unreliable(unreachable)) as down:
        do_the_work(down)
    tracker = InMemoryTracker()
    lefts = []
    while not lefts or lefts[-1]:
        # Naming parent and child again costs two calls, so that three bring one event further.
        allowed = iter([True] * 3)
        unreliable = Unreliable(lambda allowed=allowed: next(allowed, False) or unreachable())
        unreliable.kept = tracker
        lefts.append(replay(tmp_path, unreliable).left)
    assert lefts == sorted(set(lefts), reverse=True)
    assert names_and_numbers(in_memory(tracker)) == expected()


def test_what_is_refused_for_good_keeps_nothing_else_back(tmp_path: Path) -> None:
    class Choosy(InMemoryTracker):
        def start(self, run: NewRun) -> str:
            if run.name == "fold 2":
                raise TrackerRefusedError("I do not like fold 2")
            return super().start(run)

    tracker = Choosy()
    refusing = spooled(tmp_path, tracker)
    do_the_work(refusing)
    assert refusing.close() == 0
    assert names_and_numbers(in_memory(tracker)) == [e for e in expected() if e[0] != "fold 2"]
    # The folder stays: what was refused is nowhere else.
    (kept,) = tmp_path.iterdir()
    assert "I do not like fold 2" in (kept / "progress.jsonl").read_text()
    assert replay(tmp_path, tracker) == Replayed()


def test_a_mistake_of_ours_is_raised_when_the_work_is_done(tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    broken = spooled(tmp_path, Unreliable(fail))
    do_the_work(broken)
    with pytest.raises(ZeroDivisionError):
        broken.close()


def test_a_start_without_an_answer_waits_until_it_cannot_arrive_any_more(tmp_path: Path) -> None:
    def in_doubt() -> None:
        raise TrackerUnreachableError("timeout", in_doubt=True)

    def at(seconds: float) -> Callable[[], datetime]:
        return lambda: AT + timedelta(seconds=seconds)

    first = SpooledTracker(
        tmp_path, Unreliable(in_doubt), privacy=Privacy(), patience=HASTY, clock=at(0)
    )
    first.start(new_run(key="r"))
    assert first.close() == 1
    tracker = InMemoryTracker()
    early = replay(tmp_path, tracker, clock=at(59))
    assert (early.sent, early.left, list(tracker.runs)) == (0, 1, [])
    assert "may still be busy" in early.reason
    assert replay(tmp_path, tracker, clock=at(60)) == Replayed(sent=1)
    assert list(tracker.runs) == ["r"]


def test_a_line_torn_by_a_kill_costs_this_line_only(tmp_path: Path) -> None:
    with spooled(tmp_path, Unreliable(unreachable)) as down:
        key = down.start(new_run())
        down.log_metrics(key, [Metric(name="auc", value=0.7)], at=AT)
    (file,) = tmp_path.glob("*/events.jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    tracker = InMemoryTracker()
    assert replay(tmp_path, tracker) == Replayed(sent=1)
    assert list(tracker.runs) == [key]


def test_the_events_of_a_process_that_was_killed_are_sent_by_another(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from tests.tracking.test_spooled import *\n"
        "down = spooled(Path(sys.argv[1]), Unreliable(unreachable))\n"
        "do_the_work(down)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -9
    tracker = InMemoryTracker()
    assert replay(tmp_path, tracker) == Replayed(sent=22)
    assert names_and_numbers(in_memory(tracker)) == expected()


def test_the_spool_itself_tells_no_names(tmp_path: Path) -> None:
    privacy = Privacy(user="canary-login", folders=("/srv/canary-project",))
    down = SpooledTracker(tmp_path, Unreliable(unreachable), privacy=privacy, patience=HASTY)
    key = down.start(new_run("by canary-login", params={"root": "/srv/canary-project/images"}))
    down.log_artifact(key, Artifact.text("log.txt", "read /srv/canary-project/images/a.nii"))
    down.close()
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"canary" not in written
    assert b"by [user]" in written
