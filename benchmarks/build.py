"""A build that finds nothing to do, the program's start, and two workers against one.

Run on an idle machine: python benchmarks/build.py
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from feature_store.row import Row
from feature_store.shard import write_shard
from feature_store.store import FeatureStore
from hnmets.execution.local import LocalPool
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import cohort_synth, features_build
from hnmets.workflows.build_files import FileBook
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.features_build import Request
from hnmets.workflows.identity import digest_of_files, files_of
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.workbench import workbench_of

CASES = 1500
CASES_TIMED = 24
STUDY = """
[study]
name = "many"
[cohort]
manifest = "cohort.csv"
case = "case_id"
image = "{case}.nii.gz"
[regions.tumour]
mask = "{case}_gtv.nii.gz"
[rings.ring]
[clinical.age]
column = "age"
type = "number"
known_at = "baseline"
[size]
regions = []
[embedding]
preset = "full"
variants = ["both"]
"""


def main() -> None:
    """Print medians and ratios."""
    print(
        f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}"
    )
    with tempfile.TemporaryDirectory() as folder:
        study = filled_store(Path(folder))
        code = "import torch, monai.networks.nets.swin_unetr"
        pair(
            f"a build that finds nothing to do, {CASES} cases x 4 recipes, CPU s",
            "importing torch and MONAI alone",
            lambda: cpu([sys.executable, "-m", "cli", "features", "build", "-s", str(study)]),
            lambda: cpu([sys.executable, "-c", code]),
            repeats=3,
        )
        pair(
            "hnmets --help, wall s",
            "the same with torch imported at the top",
            lambda: wall([sys.executable, "-m", "cli", "--help"]),
            lambda: wall([sys.executable, "-c", "import torch, cli.app"]),
            repeats=5,
        )
        two_jobs(Path(folder) / "jobs")


def pair(
    name: str,
    baseline: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    repeats: int,
) -> None:
    """Measure both in turns; print both medians and the ratio."""
    measured = [(ours(), theirs()) for _ in range(repeats)]
    mine, other = (statistics.median(side) for side in zip(*measured, strict=True))
    print(f"{name}: {mine:.2f}; {baseline}: {other:.2f}; ratio {other / mine:.1f}")


def cpu(command: Sequence[str]) -> float:
    """CPU seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall(command: Sequence[str]) -> float:
    """Wall seconds of a process."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def filled_store(folder: Path) -> Path:
    """Write a cohort whose store has every row; the values are noise, the identities real."""
    rows = "\n".join(f"P{n:04d},{50 + n % 40}" for n in range(CASES))
    (folder / "cohort.csv").write_text(f"case_id,age\n{rows}\n")
    (folder / "study.toml").write_text(STUDY)
    for number in range(CASES):
        for suffix in ("", "_gtv"):
            file = folder / f"P{number:04d}{suffix}.nii.gz"
            file.write_bytes(b"an image that nobody has to open")
            os.utime(file, (0, 0))
    study = load_study(folder / "study.toml")
    with FeatureStore.open(study.store_folder) as store:
        store.commit([shard_of(study, store)])
        store.publish()
    return folder / "study.toml"


def shard_of(study: Study, store: FeatureStore) -> Path:
    """Write every row of the cohort, as a build would have."""
    cases, bench = read_cohort(study).cases, workbench_of(study)
    book = FileBook.of(cases, root=study.root)
    digests = {path: f"{number:064x}" for number, path in enumerate(book.stats)}
    store.remember_files(book.stamps(digests))
    noise = np.random.default_rng(0).normal(size=2000)
    rows = [table.row(case) for case in cases for table in bench.tables]
    for recipe, regions in bench.regions_by_recipe:
        values = noise[: len(recipe.columns)]
        values = values.astype(np.float32) if recipe.types == "float" else values
        rows += [
            Row(
                case_id=case.case_id,
                fingerprint=recipe.fingerprint,
                input_digest=str(digest_of_files(files_of(case, bench.rules, regions), digests)),
                values=values,
            )
            for case in cases
        ]
    return write_shard(study.store_folder, bench.recipes, rows)


def two_jobs(folder: Path) -> None:
    """Build the radiomics of synthetic patients with one worker and with two."""
    cohort_synth.run(
        folder, SyntheticCohort(cases=CASES_TIMED, seed=1, scale=0.8), executor=LocalPool(jobs=2)
    )
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(2):
        for jobs, taken in seconds.items():
            store = str(folder / f"store-{jobs}-{turn}")
            flags = {"study.store": store, "build.jobs": jobs}
            study = load_study(folder / "study.toml", flags=flags)
            report = features_build.run(study, Request(only=("radiomics",)))
            taken.append(report.seconds)
    one, two = (statistics.median(taken) for taken in seconds.values())
    print(
        f"radiomics of {CASES_TIMED} patients, wall s, two jobs: {two:.1f}; one job: {one:.1f}; "
        f"ratio {one / two:.2f} (load {os.getloadavg()[0]:.1f})"
    )


if __name__ == "__main__":
    main()
