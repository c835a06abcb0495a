"""Whether everything is here that the work needs."""

import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from feature_store.progress import read_owner
from hnmets.workflows.study import load_study

_PACKAGES = ("cli", "feature_store", "hnmets")
_ENGINES = {
    "duckdb": "duckdb",
    "polars": "polars",
    "pyradiomics-bhklab": "radiomics",
    "SimpleITK": "SimpleITK",
    "torch": "torch",
    "monai": "monai",
    "numba": "numba",
}
_FAST = "hnmets.extractors.fast_radiomics.engine"
_IMPORT_SECONDS = 120
_ENOUGH_DISK_GIB = 2.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    found
        What is there, in words.
    next_step
        What to do about it; empty where all is well.
    """

    name: str
    good: bool
    found: str
    next_step: str = ""

    def as_json(self) -> dict[str, str | bool]:
        """Return the check as a JSON object."""
        return asdict(self)


def examine(study_file: Path | None, *, here: Path) -> list[Check]:
    """Look at the installation and, where a study is given, at its store."""
    with ThreadPoolExecutor() as pool:
        engines = [*pool.map(_engine, _ENGINES), *pool.map(_fast_radiomics, [_FAST])]
    checks = [_python(), _ownership(), *engines, _device(), _threads()]
    store = load_study(study_file).store_folder if study_file else here
    return [*checks, _disk(store), *([_lock(store)] if study_file else [])]


def _python() -> Check:
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check(
        name="python",
        good=good,
        found=platform.python_version(),
        next_step="" if good else "Use Python 3.11, 3.12 or 3.13.",
    )


def _ownership() -> Check:
    """Look whether a foreign distribution brought packages of our names; `cli` is a common one."""
    owners = packages_distributions()
    foreign = {name: sorted(set(owners.get(name, [])) - {"hnmets"}) for name in _PACKAGES}
    folders = {Path(str(spec.origin)).parents[1] for spec in map(find_spec, _PACKAGES) if spec}
    clashes = [f"{name} also comes from {', '.join(by)}" for name, by in foreign.items() if by]
    if len(folders) > 1:
        clashes.append("they lie in several places")
    return Check(
        name="packages",
        good=not clashes,
        found="; ".join(clashes) or f"cli, feature_store, hnmets of hnmets {version('hnmets')}",
        next_step="Uninstall the other distribution, then reinstall hnmets." if clashes else "",
    )


def _engine(distribution: str) -> Check:
    try:
        found = version(distribution)
    except PackageNotFoundError:
        found = ""
    problem = _import_problem(_ENGINES[distribution]) if found else "not installed"
    return Check(
        name=distribution,
        good=not problem,
        found=": ".join(text for text in (found, problem) if text),
        next_step=f"pip install --force-reinstall {distribution}" if problem else "",
    )


def _fast_radiomics(module: str) -> Check:
    problem = _import_problem(module)
    return Check(
        name="fast radiomics",
        good=not problem,
        found=problem or "compiled by numba at the first build",
        next_step='Set engine = "pyradiomics" in [radiomics.parameters].' if problem else "",
    )


def _import_problem(module: str) -> str:
    """Import a module in a process of its own, which a broken library may end; "" is good."""
    try:
        done = subprocess.run(  # noqa: S603  # this interpreter, and names from the list above
            [sys.executable, "-c", f"import {module}"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=_IMPORT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"its import took longer than {_IMPORT_SECONDS} s"
    if done.returncode < 0:
        return f"its import ended by signal {-done.returncode}"
    said = done.stderr.strip().splitlines() or ["its import fails"]
    return said[-1] if done.returncode else ""


def _device() -> Check:
    from hnmets.networks.device import describe

    return Check(name="device", good=True, found=describe())


def _threads() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check(name="cores", good=True, found=str(cores))


def _disk(folder: Path) -> Check:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free / 2**30
    good = free >= _ENOUGH_DISK_GIB
    return Check(
        name="disk",
        good=good,
        found=f"{free:.1f} GiB free for the store",
        next_step="" if good else "Free space or set [study] store to another disk.",
    )


def _lock(store: Path) -> Check:
    owner = read_owner(store)
    return Check(
        name="store lock",
        good=True,
        found="free" if owner is None else f"held by {owner}",
    )
