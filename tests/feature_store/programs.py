"""Programs that tests start, kill, starve of disk or run in strange environments."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from feature_store.errors import StoreError
from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore
from tests.builders_store import CLINICAL, RECIPES, clinical, embedding, texture

WIDE = Recipe(name="wide", kind="radiomics", columns=tuple(f"f{i}" for i in range(1000)))
N_CASES = 60


def say(text: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def rows_of(case: int) -> list[Row]:
    """Make the rows of one case; the same in every process."""
    values = np.random.default_rng(case).normal(size=1000)
    wide = texture(f"case-{case:03d}", *values, recipe=WIDE)
    return [wide, clinical(f"case-{case:03d}", 40.0 + case, "f", case % 2 == 0)]


def build(folder: Path) -> None:
    """Extract what the store lacks, one case at a time, and log what happens to each."""
    log = os.open(folder.parent / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with FeatureStore.open(folder) as store:
        say("ready")
        known = store.known()
        for case in range(N_CASES):
            if (f"case-{case:03d}", WIDE.fingerprint) in known:
                continue
            os.write(log, f"extract {case}\n".encode())
            shard = write_shard(folder, [WIDE, CLINICAL], rows_of(case))
            store.commit([shard])
            os.write(log, f"commit {case}\n".encode())
            if case % 10 == 9:
                store.publish()
        store.publish()


def hold(folder: Path) -> None:
    """Keep the store open."""
    with FeatureStore.open(folder):
        say("ready")
        time.sleep(60)


def leave_log(folder: Path) -> None:
    """Commit, then die before DuckDB has moved its log into its file."""
    with FeatureStore.open(folder) as store:
        for case in range(6):
            store.commit([write_shard(folder, [WIDE, CLINICAL], rows_of(case))])
        os.kill(os.getpid(), signal.SIGKILL)


def starve(folder: Path) -> None:
    """Build while no file may grow beyond a limit given in STARVE_BYTES."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = int(os.environ["STARVE_BYTES"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        build(folder)
    except StoreError as error:
        say(f"{type(error).__name__} {error}")
        raise SystemExit(error.exit_code) from error


def write(folder: Path) -> None:
    """Write one shard of mixed rows and print its name."""
    rows = [texture("A"), embedding("A"), clinical("A", 61.5, "mâle", None)]
    say(write_shard(folder, RECIPES, rows).name)


def whole(folder: Path) -> None:
    """Go the whole way once and print the content hash that a reader finds."""
    rows = [texture("A"), embedding("A"), clinical("A", 61.5, "mâle", None)]
    shard = write_shard(folder, RECIPES, rows)
    with FeatureStore.open(folder) as store:
        store.commit([shard])
        store.publish()
    say(read_snapshot(folder).content_hash)


PROGRAMS: dict[str, Callable[[Path], None]] = {
    function.__name__: function for function in (build, hold, leave_log, starve, write, whole)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](Path(sys.argv[2]))
