"""A worker of a search: needs its folder, numpy, torch and optuna alone.

    python -m hnmets.tuning FOLDER [--device cuda]

PostgreSQL is named by HNMETS_TUNING__STORAGE: a command line is seen by everybody on a machine.
"""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from hnmets.domain.errors import HnmetsError
from hnmets.tuning.starting import STORAGE, worker_of
from hnmets.tuning.storage import close_storage


class _Flag:
    """Raised by the first signal: the batch is finished. The second one ends the process."""

    def __init__(self) -> None:
        self.raised = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self.raised:
            raise SystemExit(128 + number)
        self.raised = True


def main() -> int:
    """Work until the search is done; 130 where it was told to stop before."""
    parser = argparse.ArgumentParser(
        prog="python -m hnmets.tuning", description="A worker of a search."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="How many there are in all.")
    parser.add_argument("--until-parent-ends", action="store_true")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    flag = _Flag()
    signal.signal(signal.SIGINT, flag)
    signal.signal(signal.SIGTERM, flag)
    parent = os.getppid()

    def stop() -> bool:
        return flag.raised or (asked.until_parent_ends and os.getppid() != parent)

    worker = worker_of(
        asked.folder,
        storage=os.environ.get(STORAGE, ""),
        device=asked.device,
        workers=asked.workers,
        stop=stop,
    )
    try:
        return 0 if worker.work() else 130
    finally:
        close_storage(worker.storage)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HnmetsError as error:
        for line in (f"error: {error}", *getattr(error, "__notes__", ())):
            sys.stderr.write(line + "\n")
        sys.exit(error.exit_code)
