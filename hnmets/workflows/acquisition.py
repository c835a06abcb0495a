"""Where and how patients were imaged, as features: nothing that should tell the outcome."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.rows import Rows
from hnmets.domain.case import Case
from hnmets.domain.errors import CaseError
from hnmets.extractors.clinical import UNKNOWN
from hnmets.imaging.orientation import canonical_geometry
from hnmets.sources.nifti import read_nifti_header
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.grouping import CENTRE
from hnmets.workflows.study import Study

MODALITY = "circumstances"
HEADER = ("slice spacing", "pixel spacing", "slices", "rows", "columns", "voxel type")

Columns = dict[str, NDArray[np.float64]]


def circumstances(study: Study, cohort: Cohort, dataset: Dataset, *, with_centre: bool) -> Rows:
    """Return the dataset's cases with centre and acquisition for features.

    The image files tell spacing (mm), size (voxels) and the type of the voxels (1 whole numbers,
    0 fractions); what else is known of the acquisition stands in the clinical variables that the
    study names. What is the same for everybody is left out.

    Parameters
    ----------
    with_centre
        Whether the centre is a feature, or the acquisition alone.

    Returns
    -------
    Rows
        One modality; no columns where nothing is known. A column is `scanner=…` for each value
        of a category.
    """
    by_id = {case.case_id: case for case in cohort.cases}
    cases = [by_id[case_id] for case_id in dataset.rows.case_ids]
    columns = _one_hot(CENTRE, dataset.centres) if with_centre else {}
    columns |= _from_headers([case.image for case in cases])
    for name in study.acquisition:
        columns |= _from_table(name, cases, number=study.clinical[name].type == "number")
    values = np.column_stack([*columns.values()]) if columns else np.empty((len(cases), 0))
    return dataset.rows.with_columns(
        tuple(columns), modalities=(MODALITY,) * len(columns), values=values
    )


def sources_of(rows: Rows) -> tuple[str, ...]:
    """Return what the columns tell, each thing once."""
    return tuple(dict.fromkeys(column.partition("=")[0] for column in rows.columns))


def header_facts(path: Path) -> tuple[float, ...]:
    """Return what an image file says of its acquisition, in the order of `HEADER`.

    Raises
    ------
    CaseError
        If the header cannot be read.
    """
    header = read_nifti_header(path)
    geometry = canonical_geometry(header.geometry)
    slice_mm, pixel_mm, _ = geometry.spacing_mm
    return (slice_mm, pixel_mm, *map(float, geometry.shape), float(header.dtype.kind in "iu"))


def _from_headers(images: Sequence[Path | None]) -> Columns:
    if not any(images):
        return {}
    table = np.array([_facts_or_gaps(image) for image in images])
    return _differing(dict(zip(HEADER, table.T, strict=True)))


def _facts_or_gaps(image: Path | None) -> tuple[float, ...]:
    try:
        return header_facts(image) if image else (np.nan,) * len(HEADER)
    except CaseError:
        # The file was measured and is damaged since: absent like any other value.
        return (np.nan,) * len(HEADER)


def _from_table(name: str, cases: Sequence[Case], *, number: bool) -> Columns:
    values = [case.clinical[name] for case in cases]
    if not number:
        return _one_hot(name, [None if value is None else str(value) for value in values])
    column = np.array([np.nan if value is None else float(value) for value in values])
    return _differing({name: column})


def _one_hot(name: str, texts: Sequence[str | None]) -> Columns:
    told = [UNKNOWN if text is None else text for text in texts]
    return _differing(
        {
            f"{name}={group}": np.array([text == group for text in told], dtype=np.float64)
            for group in sorted(set(told))
        }
    )


def _differing(columns: Columns) -> Columns:
    return {name: column for name, column in columns.items() if len(np.unique(column)) > 1}
