"""One patient: planned from headers, read, checked, written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.dicom.ct import slices_of
from hnmets.sources.dicom.drawn import DrawnPatient, draw
from hnmets.sources.dicom.instance import Instance
from hnmets.sources.dicom.kind import Kind
from hnmets.sources.dicom.plan import Plan, plan
from hnmets.sources.dicom.region_rules import RegionRules
from hnmets.sources.dicom.scanned import ScannedPatient
from hnmets.sources.nifti_writer import write_nifti

IMAGE = "image"
_FOLDER = "nifti"


@dataclass(frozen=True, kw_only=True)
class PatientTask:
    """A patient to be read; travels to worker processes.

    Parameters
    ----------
    out
        Output folder; None to look at headers only.
    """

    patient: str
    instances: tuple[Instance, ...]
    rules: RegionRules
    out: Path | None
    memory_gib: float


def scan_patient(task: PatientTask) -> ScannedPatient:
    """Read one patient, and write CT and masks where there is an output folder.

    Raises
    ------
    CaseError
        If something of the patient cannot be trusted.
    """
    _require_sound(task.instances)
    chosen = plan(task.patient, task.instances, task.rules)
    if task.out is None:
        return _planned(task, chosen)
    drawn = draw(chosen, task.rules, memory_gib=task.memory_gib)
    files = _write(task.out, task.patient, drawn)
    return _result(
        task.patient,
        chosen,
        geometry=drawn.ct.geometry.spacing_mm,
        slices=drawn.ct.geometry.shape[0],
        voxels={role: int(np.count_nonzero(mask)) for role, mask in drawn.masks.items()},
        flags={where: dict(flags) for where, flags in drawn.flags.items() if flags},
        files=files,
    )


def _require_sound(instances: Sequence[Instance]) -> None:
    if not any(instance.patient for instance in instances):
        count = len(instances)
        raise CaseError(Code.DICOM_PATIENT, f"{count} DICOM files without a patient id")
    damaged = [instance for instance in instances if instance.kind is Kind.DAMAGED]
    if damaged:
        code, reason = damaged[0].trouble or (Code.IMAGE_CORRUPT, "")
        raise CaseError(code, f"{len(damaged)} damaged files beside the patient's: {reason}")


def _planned(task: PatientTask, chosen: Plan) -> ScannedPatient:
    found = slices_of(chosen.ct).stack
    if found.uneven is not None and task.rules.geometry.uneven == "refuse":
        raise found.uneven
    geometry = found.geometry
    return _result(task.patient, chosen, geometry=geometry.spacing_mm, slices=geometry.shape[0])


def _result(
    patient: str,
    chosen: Plan,
    *,
    geometry: tuple[float, float, float],
    slices: int,
    **found: Any,  # noqa: ANN401  # voxels, flags and files of `ScannedPatient`
) -> ScannedPatient:
    return ScannedPatient(
        patient=patient,
        series=chosen.series,
        slices=slices,
        spacing_mm=geometry,
        acquisition=chosen.ct[0].acquisition,
        days_to_contours=_days(chosen),
        names={
            role: ", ".join(drawing.shown for drawing in drawings)
            for role, drawings in chosen.drawings.items()
        },
        **found,
    )


def _days(chosen: Plan) -> int | None:
    begin = chosen.ct[0].day
    ends = [
        drawing.source.day
        for drawings in chosen.drawings.values()
        for drawing in drawings
        if drawing.source.day is not None
    ]
    return max(ends) - begin if ends and begin is not None else None


def _write(out: Path, patient: str, drawn: DrawnPatient) -> dict[str, int]:
    """Write CT and masks, and return their sizes by name."""
    volumes: Mapping[str, NDArray[np.generic]] = {
        IMAGE: _storable(drawn.ct.voxels),
        **{role: mask.view(np.uint8) for role, mask in drawn.masks.items()},
    }
    (out / _FOLDER).mkdir(exist_ok=True)
    for what, voxels in volumes.items():
        write_nifti(out / file_of(patient, what), voxels, drawn.ct.geometry)
    return {
        file_of(patient, what): (out / file_of(patient, what)).stat().st_size for what in volumes
    }


def file_of(patient: str, what: str) -> str:
    """Return where the CT (`image`) or a role's mask lies, relative to the output folder."""
    name = "CT" if what == IMAGE else what
    return f"{_FOLDER}/{patient}_{name}.nii.gz"


def files_of(patient: str) -> str:
    """Return the pattern that a patient's files fit, relative to the output folder."""
    return f"{_FOLDER}/*{patient}_*.nii.gz*"


def _storable(hu: NDArray[np.generic]) -> NDArray[np.generic]:
    # NIfTI has no half-open choice: whole HU as int16, everything else as it is.
    return hu if hu.dtype in {np.dtype(np.int16), np.dtype(np.float64)} else hu.astype(np.float64)
