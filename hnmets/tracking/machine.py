"""The processor and the accelerators of this machine; no name, no serial number."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 10.0
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class Processor:
    """The CPU.

    Parameters
    ----------
    flags_hash
        SHA-256 of its sorted instruction sets: they choose the code paths of BLAS. Empty where
        the system does not list them.
    cores
        That this process may use.
    """

    model: str
    flags_hash: str
    cores: int


def processor(cpuinfo: Path = _CPUINFO) -> Processor:
    """Look at the CPU."""
    facts = _facts(cpuinfo.read_text(errors="replace")) if cpuinfo.exists() else {}
    flags = sorted((facts.get("flags") or facts.get("Features") or "").split())
    affinity = getattr(os, "sched_getaffinity", None)
    return Processor(
        model=facts.get("model name") or platform.machine(),
        flags_hash=hashlib.sha256(" ".join(flags).encode()).hexdigest() if flags else "",
        cores=len(affinity(0)) if affinity else os.cpu_count() or 1,
    )


def accelerators() -> tuple[str, ...]:
    """Return name and driver of each NVIDIA card; none where the driver's tool finds none."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603  # our own arguments
            query, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return accelerators_in(done.stdout.splitlines()) if done.returncode == 0 else ()


def accelerators_in(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the cards of the tool's answer.

    Examples
    --------
    >>> accelerators_in(["NVIDIA H100 80GB HBM3, 570.86.15"])
    ('NVIDIA H100 80GB HBM3, driver 570.86.15',)
    """
    rows = [line.rsplit(",", 1) for line in lines if "," in line]
    return tuple(f"{name.strip()}, driver {driver.strip()}" for name, driver in rows)


def _facts(text: str) -> dict[str, str]:
    """Return what is said of the first core."""
    pairs = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
