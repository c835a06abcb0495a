"""Start the programs of `programs.py` in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def start(program: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a program and return at once."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.feature_store.programs", program, str(folder)],
        cwd=_ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def start_ready(program: str, folder: Path) -> subprocess.Popen[str]:
    """Start a program and wait until it has opened the store."""
    process = start(program, folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def run(program: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Run a program to its end; return its exit status and output."""
    process = start(program, folder, **environment)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as the kernel would: at once."""
    process.kill()
    process.communicate()
