"""A study with every modality and no image: what a ladder needs, made in a second."""

from pathlib import Path

import numpy as np

from feature_store.recipe import Recipe
from feature_store.row import Row
from hnmets.execution.local import InProcess
from hnmets.workflows import features_build
from hnmets.workflows.features_build import Request
from hnmets.workflows.study import Study, load_study
from tests.builders_store import fill
from tests.builders_studies import write

STUDY = """\
[study]
name = "Which modality helps"

[cohort]
manifest = "cohort.csv"
case = "id"
patient = "patient"

[clinical.age]
column = "age"
type = "number"
known_at = "baseline"

[outcome]
event = "dm"

[split]
folds = 2
repeats = 1

[evaluation]
draws = 200
"""
# How far the event moves the first column of each feature set, in standard deviations.
EFFECTS = {
    ("size.tumour", "size"): 0.9,
    ("radiomics.tumour", "radiomics"): 1.4,
    ("embedding.both", "embedding"): 1.1,
}
_COLUMNS = 4


def every_modality(folder: Path, *, cases: int = 90, seed: int = 5, effect: float = 1.0) -> Study:
    """Write manifest, study file and store; radiomics tells most, age hardly.

    Parameters
    ----------
    effect
        Factor of all effects; with 0 nothing tells anything.
    """
    rng = np.random.default_rng(seed)
    event = rng.random(cases) < 0.3
    age = rng.normal(60 + 3 * effect * event, 8)
    lines = [
        f"HN-{n:03d},P{n:03d},{a:.1f},{int(e)}"
        for n, (a, e) in enumerate(zip(age, event, strict=True))
    ]
    file = write(folder, toml=STUDY, rows=["id,patient,age,dm", *lines])
    study = load_study(file, environ={})
    features_build.run(study, Request(), executor=InProcess())
    recipes = [
        # As if imported: otherwise a study takes only what it would measure itself.
        Recipe(
            name=name,
            kind=kind,
            columns=tuple(f"x{column}" for column in range(_COLUMNS)),
            parameters={"imported": True},
        )
        for name, kind in EFFECTS
    ]
    rows = []
    for recipe, told in zip(recipes, EFFECTS.values(), strict=True):
        values = rng.normal(size=(cases, _COLUMNS))
        values[:, 0] += told * effect * event
        rows += [
            Row(
                case_id=f"HN-{n:03d}",
                fingerprint=recipe.fingerprint,
                input_digest=f"{n}",
                values=line,
            )
            for n, line in enumerate(values)
        ]
    fill(study.store_folder, rows, recipes)
    return study
