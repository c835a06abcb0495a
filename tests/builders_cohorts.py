"""Synthetic cohorts on disk, small enough for tests, and what tests ask of their stores."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

from hnmets.domain.case import Case
from hnmets.execution.local import InProcess
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import cohort_synth
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.raw_case import RawCase
from hnmets.workflows.study import Study, load_study

SMALL = SyntheticCohort(cases=6, seed=13, scale=0.25)


def write_cohort(folder: Path, parameters: SyntheticCohort = SMALL) -> Path:
    """Write a cohort and return its study file."""
    cohort_synth.run(folder, parameters, executor=InProcess())
    return folder / "study.toml"


def copy_of(study: Path, folder: Path) -> Path:
    """Copy a cohort with its time stamps, as old as they are; the store stays behind."""
    shutil.copytree(study.parent, folder, ignore=shutil.ignore_patterns("store", "crops"))
    return folder / "study.toml"


def study_of(file: Path, **flags: object) -> Study:
    """Load a study with settings by `section__key`."""
    return load_study(file, flags={name.replace("__", "."): v for name, v in flags.items()})


def case_of(study: Study, case_id: str) -> Case:
    """Return one case of the cohort."""
    return next(case for case in read_cohort(study).cases if case.case_id == case_id)


def age(folder: Path) -> None:
    """Make every file look an hour old: a file of this second is not trusted to be unchanged."""
    for file in folder.rglob("*"):
        stat = file.stat()
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns - 3600 * 10**9))


def hnmets(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=240,
    )


def start(
    *arguments: str | Path, output: IO[str] | int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start the program as a terminal would: with a process group of its own."""
    return subprocess.Popen(
        command(*arguments), stdout=output, stderr=output, text=True, start_new_session=True
    )


def command(*arguments: str | Path) -> list[str]:
    """Return the command line of the program in this environment."""
    return [sys.executable, "-m", "cli", *map(str, arguments)]


def raw_case(study: Study, case_id: str) -> RawCase:
    """CT, masks and clinical variables of a synthetic patient, as a person has them."""
    with (study.folder / "cohort.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["case_id"] == case_id)
    nifti = study.folder / "nifti"
    return RawCase(
        case_id=case_id,
        image=nifti / f"{case_id}_CT_image.nii.gz",
        masks=dict.fromkeys(("tumour", "nodes"), nifti / f"{case_id}_gtv.nii.gz"),
        clinical={name: row[rule.column] for name, rule in study.predictors.items()},
    )
