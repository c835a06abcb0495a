"""Rows, subjects and stored features for the tests of datasets, selection and models."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Json, Recipe
from feature_store.row import Row
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.rows import Rows, TrainRows
from hnmets.datasets.subjects import Subject
from hnmets.datasets.view import FeatureView
from hnmets.domain.case import Case
from hnmets.domain.outcome import Outcome
from hnmets.extractors.clinical import Clinical, ClinicalVariable
from hnmets.extractors.endpoint import Endpoint
from hnmets.extractors.roster import Roster
from tests.builders_store import fill

CLINICAL = Clinical(
    variables=(
        ClinicalVariable(name="age", type="number", unit="years"),
        ClinicalVariable(name="sex", type="category", categories=("female", "male")),
    )
)
TEXTURE = Recipe(name="radiomics.tumour", kind="radiomics", columns=("mean", "entropy"))
EMBEDDING = Recipe(name="embedding.both", kind="embedding", columns=("e0", "e1"), types="float")
VIEW = FeatureView(name="all", recipes=("radiomics.tumour", "embedding.both", "clinical"))


def case(
    case_id: str,
    *,
    event: bool | None = False,
    patient: str | None = None,
    centre: str | None = None,
    **clinical: float | str | None,
) -> Case:
    """A case of the cohort; without an outcome where the event is None."""
    return Case(
        case_id=case_id,
        patient_id=patient or case_id,
        centre=centre,
        clinical=clinical,
        outcome=None if event is None else Outcome(event=event, time_days=700.0),
    )


def vector(recipe: Recipe, case_id: str, *values: float) -> Row:
    """One row of a recipe of numbers."""
    dtype = np.float32 if recipe.types == "float" else np.float64
    return Row(
        case_id=case_id,
        fingerprint=recipe.fingerprint,
        input_digest="a",
        values=np.array(values, dtype=dtype),
    )


def stored(
    folder: Path,
    cases: Sequence[Case],
    rows: Sequence[Row] = (),
    recipes: Sequence[Recipe] = (TEXTURE, EMBEDDING),
    clinical: Clinical = CLINICAL,
) -> Snapshot:
    """A published store with the tables of the cases and rows of other recipes."""
    tables = [*map(Roster().row, cases), *map(clinical.row, cases)]
    tables += [Endpoint().row(case) for case in cases if case.outcome]
    known = (Roster().recipe, clinical.recipe, Endpoint().recipe, *recipes)
    fill(folder, [*tables, *rows], known)
    return read_snapshot(folder)


def seen_by(name: str = "embedding.both", **parameters: Json) -> Recipe:
    """An embedding whose recipe says more about its network."""
    return Recipe(
        name=name, kind="embedding", columns=("e0", "e1"), types="float", parameters=parameters
    )


def subjects(
    n: int, *, events: int, scans: int = 1, centres: Sequence[str | None] = (None,)
) -> list[Subject]:
    """Patients of whom the first have the event, each with some scans; centres take turns."""
    return [
        Subject(
            case_id=f"S{patient:03d}x{scan}" if scans > 1 else f"S{patient:03d}",
            patient_id=f"P{patient:03d}",
            event=patient < events,
            centre=centres[patient % len(centres)],
        )
        for patient in range(n)
        for scan in range(scans)
    ]


def train_rows(
    values: NDArray[np.float64],
    outcome: Sequence[bool] | NDArray[np.bool_],
    modalities: Sequence[str] | str = "radiomics.tumour",
) -> TrainRows:
    """Training rows with names made up: case C000 of patient C000, column 00, 01, …."""
    n, p = values.shape
    cases = tuple(f"C{row:03d}" for row in range(n))
    names = (modalities,) * p if isinstance(modalities, str) else tuple(modalities)
    return TrainRows(
        case_ids=cases,
        patient_ids=cases,
        columns=tuple(f"{name}.{place:02d}" for place, name in enumerate(names)),
        modalities=names,
        values=np.asarray(values, dtype=np.float64),
        outcome=np.asarray(outcome, dtype=bool),
    )


def dataset_of(rows: Rows, recipes: Sequence[Recipe] = ()) -> Dataset:
    """A dataset of rows that no store was needed for."""
    return Dataset(
        view=FeatureView(name="test", recipes=("test",)),
        rows=rows,
        centres=(None,) * len(rows.case_ids),
        died=np.full(len(rows.case_ids), np.nan),
        time_days=np.full(len(rows.case_ids), np.nan),
        recipes=tuple(recipes),
        left_out={},
        absent=(),
    )


def subjects_in(rows: Rows) -> list[Subject]:
    """The subjects that a split of these rows divides."""
    told = zip(rows.case_ids, rows.patient_ids, rows.outcome.tolist(), strict=True)
    return [Subject(case_id=c, patient_id=p, event=e) for c, p, e in told]
