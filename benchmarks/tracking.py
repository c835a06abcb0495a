"""What tracking costs per run: medians, with numbers written one by one in the same run.

Run it with `python benchmarks/tracking.py [--runs N]`; a run is a fold with ten measures, a
curve of thirty epochs and five parameters, in a database of its own in WAL mode.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hnmets.tracking.base import Metric, NewRun, Status, Tracker
from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.place import Place
from hnmets.tracking.privacy import Privacy

METRICS = [Metric(name=f"measure_{number}", value=number / 10) for number in range(10)] + [
    Metric(name="loss", value=1 / epoch, step=epoch) for epoch in range(1, 31)
]


def main() -> None:
    """Measure and print one line per question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    n_runs = parser.parse_args().runs
    print(f"{n_runs} runs, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        direct = MlflowTracker(Place(project=project), privacy=Privacy())
        log_one(direct, at_once)  # imports, tables
        batch = [timed(lambda: log_one(direct, at_once)) for _ in range(n_runs)]
        single = [timed(lambda: log_one(direct, one_by_one)) for _ in range(n_runs)]
        report("one batch per run", batch, single, "metric by metric")
        with open_tracker(project) as spooled:
            said = [timed(lambda: log_one(spooled, at_once)) for _ in range(n_runs)]
        report("what the work waits for", said, batch, "without the spool")


def log_one(tracker: Tracker, write: Callable[[Tracker, str, datetime], None]) -> None:
    """Log one fold."""
    at = datetime.now(UTC)
    params = {f"setting_{number}": str(number) for number in range(5)}
    key = tracker.start(NewRun(experiment="speed", name="fold", at=at, params=params))
    write(tracker, key, at)
    tracker.end(key, Status.FINISHED, at=at)


def at_once(tracker: Tracker, key: str, at: datetime) -> None:
    """Write all numbers together."""
    tracker.log_metrics(key, METRICS, at=at)


def one_by_one(tracker: Tracker, key: str, at: datetime) -> None:
    """Write each number alone."""
    for metric in METRICS:
        tracker.log_metrics(key, [metric], at=at)


def timed(work: Callable[[], None]) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def report(what: str, ours: list[float], theirs: list[float], baseline: str) -> None:
    """Print both medians and their ratio."""
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{what:25} {a * 1e3:8.1f} ms   {baseline:20} {b * 1e3:8.1f} ms   ratio {b / a:5.1f}")


if __name__ == "__main__":
    main()
