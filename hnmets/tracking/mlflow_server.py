"""`mlflow server` whose exit code tells whether somebody ended it.

MLflow 3.17 waits for its web server and then ends with code 0, whatever became of it.
"""

import os
import signal
import sys


def main() -> None:
    """Serve until told to stop; whoever ends before that has failed."""
    from mlflow.cli import cli

    heard, told = os.pipe()
    for end in (heard, told):
        os.set_blocking(end, False)
    # MLflow sets handlers of its own; what reaches them is written here too.
    signal.set_wakeup_fd(told)
    try:
        cli.main(args=["server", *sys.argv[1:]], prog_name="mlflow")
    except SystemExit as ended:
        raise SystemExit(ended.code or (0 if _was_told(heard) else 1)) from None


def _was_told(heard: int) -> bool:
    try:
        return bool(os.read(heard, 1))
    except BlockingIOError:
        return False


if __name__ == "__main__":
    main()
