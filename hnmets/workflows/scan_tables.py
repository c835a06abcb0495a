"""The tables of a scan: manifest, QC, names, and a study file that reads them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from io import StringIO
from pathlib import Path

from feature_store.atomic import write_atomic
from hnmets.sources.dicom.region_rules import RegionRules
from hnmets.sources.dicom.scanned import QcRow, Scan, ScannedPatient, SeenName
from hnmets.workflows.scan_patient import IMAGE, file_of

MANIFEST, QC, NAMES, STUDY = "cohort.csv", "qc.csv", "names.csv", "study.toml"
_HEAD = """\
# Written by `hnmets cohort scan`, once; it is yours to change. The manifest is written anew by
# every scan.
[study]
name = "scanned cohort"
store = "store"

[cohort]
manifest = "cohort.csv"
case = "case_id"
patient = "patient_id"
image = "image"
"""
_REGION = """
[regions.{role}]
mask = "mask_{role}"
"""
_OPTIONAL = """\
optional = true
minimum_voxels = 1
minimum_slices = 1
"""
_RING = """
[rings.ring]
around = "tumour"
distance_mm = 5
"""
_CLINICAL = """
[clinical.sex]
column = "sex"
type = "category"
values = { female = ["F"], male = ["M"] }
missing = ["unknown", "O"]
known_at = "baseline"

# How the images were made: no predictors, but what the audit of shortcuts looks at.
"""
_ACQUISITION = {
    "kvp": "number",
    "slice_thickness": "number",
    "kernel": "category",
    "manufacturer": "category",
    "scanner": "category",
    "contrast": "category",
}


def tables_of(scan: Scan, rules: RegionRules) -> dict[str, str]:
    """Return the tables by file name."""
    roles = tuple(rules.roles)
    return {
        MANIFEST: _csv([_manifest_row(patient, roles) for patient in scan.patients]),
        QC: _csv([asdict(row) for row in scan.qc], columns=_columns(QcRow)),
        NAMES: _csv([asdict(name) for name in scan.names], columns=_columns(SeenName)),
    }


def study_text(rules: RegionRules) -> str:
    """Return a study file for the manifest of a scan."""
    regions = (
        _REGION.format(role=role) + ("" if rule.required else _OPTIONAL)
        for role, rule in rules.roles.items()
    )
    acquisition = "\n".join(
        f'[clinical.{name}]\ncolumn = "{name}"\ntype = "{kind}"\nmissing = ["unknown"]\n'
        for name, kind in _ACQUISITION.items()
    )
    ring = _RING if "tumour" in rules.roles else ""
    return "".join([_HEAD, *regions, ring, _CLINICAL, acquisition])


def write_changed(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files whose content is another than before; the others keep their date."""
    for name, text in texts.items():
        file, content = folder / name, text.encode()
        if not file.is_file() or file.read_bytes() != content:
            write_atomic(file, content)


def _manifest_row(patient: ScannedPatient, roles: Sequence[str]) -> dict[str, object]:
    slice_mm, row_mm, column_mm = patient.spacing_mm
    acquisition = patient.acquisition.as_cells()
    acquisition["slice_thickness"] = acquisition.pop("slice_thickness_mm")
    masks = {
        f"mask_{role}": file_of(patient.patient, role) if role in patient.voxels else ""
        for role in roles
    }
    return {
        "case_id": patient.patient,
        "patient_id": patient.patient,
        "image": file_of(patient.patient, IMAGE),
        **masks,
        "series": patient.series,
        "slices": patient.slices,
        "slice_spacing_mm": f"{slice_mm:g}",
        "row_spacing_mm": f"{row_mm:g}",
        "column_spacing_mm": f"{column_mm:g}",
        **acquisition,
        "days_to_contours": "" if patient.days_to_contours is None else patient.days_to_contours,
    }


def _columns(kind: type[QcRow] | type[SeenName]) -> list[str]:
    return [field.name for field in fields(kind)]


def _csv(rows: Sequence[Mapping[str, object]], columns: Iterable[str] = ()) -> str:
    out = StringIO()
    names = [*(rows[0] if rows else columns)]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
