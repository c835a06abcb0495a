"""What can go wrong, and what a person can do about it."""

from enum import StrEnum
from typing import ClassVar, Self


class HnmetsError(Exception):
    """A mistake that the user can mend; ends in one line, not in a traceback."""

    exit_code: ClassVar[int] = 1

    def with_note(self, next_step: str) -> Self:
        """Return the error with the next step added."""
        self.add_note(next_step)
        return self


class UsageError(HnmetsError):
    """The command cannot be carried out as it was typed."""

    exit_code = 2


class InvalidDataError(HnmetsError):
    """The study file or the whole cohort cannot be used."""

    exit_code = 3


class Code(StrEnum):
    """Problems of one case, by the name under which tables and tests know them."""

    IMAGE_MISSING = "E_IMG_MISSING"
    IMAGE_CORRUPT = "E_IMG_CORRUPT"
    IMAGE_SHAPE = "E_IMG_SHAPE"
    IMAGE_TOO_LARGE = "E_IMG_TOO_LARGE"
    IMAGE_NONFINITE = "E_IMG_NONFINITE"
    IMAGE_DUPLICATE = "E_IMG_DUPLICATE"
    HU_RANGE = "E_HU_RANGE"
    GEOMETRY_FORMS = "E_GEOM_FORMS"
    GEOMETRY_SHEAR = "E_GEOM_SHEAR"
    GEOMETRY_SPACING = "E_GEOM_SPACING"
    GEOMETRY_MISMATCH = "E_GEOM_MISMATCH"
    GEOMETRY_GAP = "E_GEOM_GAP"
    GEOMETRY_DUPLICATE = "E_GEOM_DUP"
    GEOMETRY_MIXED = "E_GEOM_MIXED"
    DICOM_SYNTAX = "E_DICOM_SYNTAX"
    DICOM_PATIENT = "E_DICOM_PATIENT"
    DICOM_SERIES = "E_DICOM_SERIES"
    STRUCTURE_REFERENCE = "E_RT_REF"
    STRUCTURE_OUTSIDE = "E_RT_OUTSIDE"
    MASK_LABEL = "E_MASK_LABEL"
    MASK_VALUES = "E_MASK_VALUES"
    REGION_EMPTY = "E_ROI_EMPTY"
    REGION_SMALL = "E_ROI_SMALL"
    REGION_ABSENT = "E_ROI_ABSENT"
    REGION_AMBIGUOUS = "E_ROI_AMBIGUOUS"
    PATH_OUTSIDE = "E_PATH"
    ROW_DUPLICATE = "E_ROW_DUPLICATE"
    ROW_CONFLICT = "E_ROW_CONFLICT"
    ROW_STALE = "E_ROW_STALE"
    CASE_ID = "E_CASE_ID"
    EXCLUDED = "E_EXCLUDED"
    OUTCOME_MISSING = "E_OUTCOME_MISSING"
    OUTCOME_ORDER = "E_OUTCOME_ORDER"
    OUTCOME_CENSORED = "E_OUTCOME_CENSORED"
    TABLE_VALUE = "E_TABLE_VALUE"
    TIMEOUT = "E_TIMEOUT"
    MEMORY = "E_MEMORY"
    WORKER_DIED = "E_WORKER_DIED"
    EXTRACTOR = "E_EXTRACTOR"


NEXT_STEPS: dict[Code, str] = {
    Code.IMAGE_MISSING: "Check the path in the manifest or the pattern in the study file.",
    Code.IMAGE_CORRUPT: "Copy the file again from its source; the build retries the case.",
    Code.IMAGE_SHAPE: "Give one 3-D volume per case; split a 4-D file first.",
    Code.IMAGE_TOO_LARGE: "Crop the volume around the neck or raise [build] memory_limit_gib.",
    Code.IMAGE_NONFINITE: "Convert the series again; one NaN voxel changes every texture.",
    Code.IMAGE_DUPLICATE: "Find out whose image it is and correct the manifest.",
    Code.HU_RANGE: "Check rescale slope and intercept: air must be near -1000 HU, tissue near 0.",
    Code.GEOMETRY_FORMS: "Convert the series again; readers would place this volume differently.",
    Code.GEOMETRY_SHEAR: "Resample the tilted series to an orthogonal grid first.",
    Code.GEOMETRY_SPACING: "Convert the series again; the spacing cannot be right.",
    Code.GEOMETRY_MISMATCH: "Is it the mask of this patient? Draw it on the grid of this image.",
    Code.GEOMETRY_GAP: 'Export the series again, or let the rules say `uneven = "resample"`.',
    Code.GEOMETRY_DUPLICATE: "Export one acquisition per series; two images lie on one position.",
    Code.GEOMETRY_MIXED: "Split the series: its images have different grids or orientations.",
    Code.DICOM_SYNTAX: "Export it as uncompressed, single-frame CT images.",
    Code.DICOM_PATIENT: "Find out whose files these are; without a patient id they are nobody's.",
    Code.DICOM_SERIES: "Export the planning CT with its structure set, or choose it in the rules.",
    Code.STRUCTURE_REFERENCE: "Export the CT that the structure set was drawn on.",
    Code.STRUCTURE_OUTSIDE: "Is it the structure set of this CT? Export the whole CT.",
    Code.MASK_LABEL: "Name the label of the region in the study file.",
    Code.MASK_VALUES: "Was the mask interpolated? Resample it by nearest neighbour.",
    Code.REGION_EMPTY: "Draw the region, or exclude the case.",
    Code.REGION_SMALL: "Check the contour; texture needs extent in three dimensions.",
    Code.REGION_ABSENT: "Add its name to the rules (`--dry-run` lists all names), or draw it.",
    Code.REGION_AMBIGUOUS: "Say in the rules which name is meant; nothing is guessed.",
    Code.PATH_OUTSIDE: "Keep the files below the study's data folder, or set [cohort] root.",
    Code.ROW_DUPLICATE: "Keep one row per case in the manifest.",
    Code.ROW_CONFLICT: "Correct the rows of this patient: they contradict each other.",
    Code.ROW_STALE: "Mend the case's file, then build: its rows are of an older one.",
    Code.CASE_ID: "Give every row a case id of its own.",
    Code.EXCLUDED: "Nothing is wrong: the study file leaves the case out.",
    Code.OUTCOME_MISSING: "Fill it in, map its spelling in [outcome] values, or exclude the case.",
    Code.OUTCOME_ORDER: "Correct the dates of this patient at the source.",
    Code.OUTCOME_CENSORED: "Nothing is wrong: follow-up ended before the horizon.",
    Code.TABLE_VALUE: "Add the value to `values` or `missing` of the column in the study file.",
    Code.TIMEOUT: "Raise [build] time_limit_s, or look at the size of the region.",
    Code.MEMORY: "Raise [build] memory_limit_gib, or look at the size of the region.",
    Code.WORKER_DIED: "Run the build again; if it dies again, report the case's image size.",
    Code.EXTRACTOR: "Look at the region on the contact sheet; report it if it looks right.",
}


class CaseError(HnmetsError):
    """One case cannot be used; the rest of the cohort goes on.

    The raising function knows the value met; the workflow that catches it adds the case.
    """

    exit_code = 4

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.add_note(NEXT_STEPS[code])

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
