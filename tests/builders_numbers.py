"""A study whose features are drawn numbers: ladders without an image being measured."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from feature_store.row import Row
from hnmets.execution.local import InProcess
from hnmets.workflows import features_build
from hnmets.workflows.alteration import alteration_of
from hnmets.workflows.features_build import Request
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import workbench_of
from tests.builders_store import fill
from tests.builders_studies import study_of

STUDY = """\
[study]
name = "numbers"

[cohort]
manifest = "cohort.csv"
case = "id"
patient = "patient"
image = "{case}.nii"

[regions.tumour]
mask = "{case}_mask.nii"

[radiomics]
regions = ["tumour"]

[radiomics.parameters]
images = ["Original"]

[size]
regions = ["tumour"]

[outcome]
event = "dm"

[selection]
trees = 20

[split]
folds = 3
repeats = 1

[evaluation]
draws = 200
"""
CASES = 80
# One patient has two scans.
PATIENTS = [f"P{min(n, CASES - 2):03d}" for n in range(CASES)]
RADIOMICS, SIZE = "radiomics.tumour", "size.tumour"
Values = NDArray[np.float64]


def study_of_numbers(folder: Path, *, toml: str = STUDY) -> Study:
    """A study with its tables in the store; its images are empty files that nobody reads."""
    cases = [(f"HN-{n:03d}", patient) for n, patient in enumerate(PATIENTS)]
    for case, _ in cases:
        (folder / f"{case}.nii").touch()
        (folder / f"{case}_mask.nii").touch()
    event = dict(zip(PATIENTS, latent() > 0.7, strict=True))
    rows = [f"{case},{patient},{event[patient]:d}" for case, patient in cases]
    (folder / "cohort.csv").write_text("\n".join(["id,patient,dm", *rows]) + "\n")
    study = study_of(folder, toml)
    features_build.run(study, Request(only=("cohort", "outcome")), executor=InProcess())
    return study


def latent() -> Values:
    """What makes an event, one number per case and the same for both scans of a patient."""
    drawn = np.random.default_rng(3).normal(size=CASES)
    drawn[-1] = drawn[-2]
    return drawn


def telling(seed: int = 0) -> dict[str, Values]:
    """Radiomics of which five features tell the outcome, sizes that tell nothing."""
    rng = np.random.default_rng(seed)
    radiomics = rng.normal(size=(CASES, 100))
    radiomics[:, :5] = latent()[:, None] + 0.7 * rng.normal(size=(CASES, 5))
    return {RADIOMICS: radiomics, SIZE: rng.lognormal(size=(CASES, 4))}


def noise(seed: int = 1) -> dict[str, Values]:
    """Radiomics and sizes that tell nothing."""
    rng = np.random.default_rng(seed)
    return {RADIOMICS: rng.normal(size=(CASES, 100)), SIZE: rng.lognormal(size=(CASES, 4))}


def moved(values: dict[str, Values], by: float, seed: int) -> dict[str, Values]:
    """The values as another contour would give them."""
    rng = np.random.default_rng(seed)
    return {name: each + by * rng.normal(size=each.shape) for name, each in values.items()}


def store(
    study: Study,
    values: dict[str, Values],
    *,
    control: str | None = None,
    perturb: str | None = None,
    without: int = 0,
) -> None:
    """Write values, shape (cases, columns), as a build would; the first cases may lack them."""
    alteration = alteration_of(study, control=control, perturb=perturb)
    recipes = {
        recipe.name.partition("~")[0]: recipe
        for recipe in workbench_of(study, alteration=alteration).recipes
    }
    rows = [
        Row(
            case_id=f"HN-{n:03d}",
            fingerprint=recipes[name].fingerprint,
            input_digest="a",
            values=line,
        )
        for name, table in values.items()
        for n, line in enumerate(table)
        if n >= without
    ]
    fill(study.store_folder, rows, [recipes[name] for name in values])
