"""Real CTs and MRs with tumours: the sarcomas of an example study, and PyRadiomics' own cases."""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry, Volume
from hnmets.workflows.case_reader import Reading, read_case
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.study import Study, load_study

STUDY = Path(__file__).parents[3] / "examples" / "sts" / "study.toml"
SARCOMAS = (
    *("STS_002", "STS_008", "STS_012", "STS_018", "STS_019", "STS_025", "STS_029", "STS_031"),
    *("STS_032", "STS_033", "STS_040", "STS_041", "STS_043", "STS_044", "STS_048"),
)
# The only place where lung1 and lung2 are published in full; the wheel lacks them.
SDIST = "pyradiomics_bhklab-3.1.4"
SDIST_SHA256 = "a44a087efc4ede91b5dfa5cf0de58ea3596bfaec1ef2484f278504b0a8fd5ffb"


class CannotDownloadError(Exception):
    """The package registry does not give the file."""


def sarcoma_study(real_data: Path, store: Path) -> Study:
    """Return the example study of 15 sarcomas; nothing is written to the store."""
    return load_study(
        STUDY,
        flags={"study.store": str(store)},
        environ={"HNMETS_REAL_DATA": str(real_data)},
    )


def sarcoma(study: Study, case_id: str) -> tuple[Volume, dict[str, NDArray[np.bool_]]]:
    """Return a case's CT and masks (tumour, ring)."""
    case = next(case for case in read_cohort(study).cases if case.case_id == case_id)
    read = read_case(Reading(case=case, rules=study.regions, memory_gib=4)).case
    return read.ct, {name: parts[0].mask for name, parts in read.regions.items()}


def published_case(folder: Path, name: str) -> tuple[Volume, NDArray[np.bool_]]:
    """Return image and mask of one of PyRadiomics' test cases: brain1, breast1, lung1, …"""
    image = sitk.ReadImage(str(folder / f"{name}_image.nrrd"))
    label = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}_label.nrrd")))
    d, h, w = label.shape
    geometry = Geometry(
        shape=(d, h, w),
        spacing_mm=image.GetSpacing()[::-1],
        origin_mm=image.GetOrigin(),
        direction=image.GetDirection(),
    )
    return Volume(voxels=sitk.GetArrayFromImage(image), geometry=geometry), label == 1


def download_lungs(folder: Path) -> Path:
    """Fetch PyRadiomics' source distribution (34 MB) and return its folder of lung CTs.

    Raises
    ------
    CannotDownloadError
        With the last words of pip.
    """
    package = "pyradiomics-bhklab"
    wanted = ["--no-deps", "--no-binary", package, f"{package}==3.1.4", "--dest", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", *wanted],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    archive = folder / f"{SDIST}.tar.gz"
    if done.returncode or not archive.exists():
        raise CannotDownloadError(done.stderr.strip().rsplit("\n", 1)[-1])
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SDIST_SHA256
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if member.name.startswith(f"{SDIST}/data/lung"):
                tar.extract(member, folder, filter="data")
    return folder / SDIST / "data"
