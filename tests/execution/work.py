"""Tasks that workers run; a worker imports them by name."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from feature_store.errors import StoreFullError
from hnmets.domain.errors import CaseError, Code

# As this module was imported: in a worker, before it took its first task.
HELD_BACK_AT_IMPORT = signal.pthread_sigmask(signal.SIG_BLOCK, ())


def held_back_at_import(_: int) -> set[int]:
    return {int(number) for number in HELD_BACK_AT_IMPORT}


def hard_to_end(_: int) -> None:
    """Have the pool wait for this worker's end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def square(number: int) -> int:
    return number * number


def misbehave(way: str) -> str:
    """Do what the task says; `fine` returns."""
    match way:
        case "refuse":
            raise CaseError(Code.REGION_EMPTY, "region 'tumour' has no voxels")
        case "full":
            raise StoreFullError(Path("store"), needed_bytes=4096)
        case "raise":
            raise ZeroDivisionError("division by zero")
        case "hang":
            time.sleep(60)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "eat":
            np.ones(6 * 2**30, dtype=np.uint8)
    return way


def threads(_: int) -> str:
    return os.environ["OMP_NUM_THREADS"]


def process(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()
