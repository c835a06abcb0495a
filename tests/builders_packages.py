"""A package of two members on clinical variables and size, made in a moment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from feature_store.recipe import Recipe
from hnmets.datasets.rows import ChoosingRows, HeldOutRows, Rows, TrainRows
from hnmets.datasets.view import Policy
from hnmets.evaluation.estimate import Estimate
from hnmets.models.candidate import Candidate, FittedCandidate
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.pruning import pruned
from hnmets.registry.card import Card, Fact, Figure
from hnmets.registry.columns import input_columns
from hnmets.registry.inputs import InputTable
from hnmets.registry.package import (
    Lineage,
    Member,
    Package,
    Predicts,
    RecipeUsed,
    write_package,
)
from hnmets.registry.reference import reference_of
from hnmets.registry.training_ids import training_ids
from hnmets.selection.reference import SelectionParameters
from tests.builders_rows import CLINICAL

KEY = bytes(range(32))
SIZE = Recipe(name="size.tumour", kind="size", columns=("volume_ml", "diameter_mm"))
RECIPES = (CLINICAL.recipe, SIZE)
COLUMNS = (
    "clinical.age",
    "clinical.sex=female",
    "clinical.sex=male",
    "clinical.sex=unknown",
    "size.tumour.volume_ml",
    "size.tumour.diameter_mm",
)
CASES = 120


def rows(cases: int = CASES, *, seed: int = 2) -> TrainRows:
    """Patients of whom the tumour's volume tells the event; a third has no recorded age."""
    rng = np.random.default_rng(seed)
    event = np.arange(cases) % 3 == 0
    sex = rng.integers(0, 2, cases)
    age = np.where(np.arange(cases) % 3 == 1, np.nan, rng.normal(60, 8, cases))
    values = np.column_stack(
        [
            age,
            sex == 0,
            sex == 1,
            sex < 0,
            rng.normal(20 + 12 * event, 6),
            rng.normal(40, 5, cases),
        ]
    ).astype(np.float64)
    ids = tuple(f"HN-{n:03d}" for n in range(cases))
    return TrainRows(
        case_ids=ids,
        patient_ids=ids,
        columns=COLUMNS,
        modalities=("clinical",) * 4 + ("size.tumour",) * 2,
        values=values.astype(np.float64),
        outcome=event,
    )


def models(of: Rows, *, model: object = None) -> tuple[FittedCandidate, ...]:
    """Two members, of the first and the second half of the patients."""
    half = len(of.case_ids) // 2
    parts = (np.arange(half), np.arange(half, 2 * half))
    candidate = Candidate(
        name="clinical + size",
        chain=SelectionParameters().chain,
        model=model or ElasticNet(strengths=(0.3,)),  # type: ignore[arg-type]  # any model
    )
    fitted = [
        candidate.fit(
            TrainRows(**vars(of.among(part[:-12]))),
            ChoosingRows(**vars(of.among(part[-12:]))),
            seed=0,
        )
        for part in parts
    ]
    return pruned(fitted)


def card() -> Card:
    """A card of one number."""
    auc = Estimate(value=0.7, low=0.6, high=0.8, n=120, events=40, level=0.95, method="bootstrap")
    return Card(
        title="few, clinical + size",
        measured="the members, out of fold",
        unmeasured="the ensemble",
        facts=(Fact(name="intended use"), Fact(name="patients", text="120")),
        figures=(Figure(name="AUC", value=auc, logged_as="auc"),),
        limits=("a synthetic cohort",),
    )


def package(
    of: Rows, members: Sequence[FittedCandidate], *, policy: Policy = "complete-case"
) -> Package:
    """What stands beside the weights."""
    encoded = members[0].view.columns
    seen = of.of_columns([of.columns.index(name) for name in encoded])
    return Package(
        name="few",
        created="2026-05-04",
        kind="members",
        rung="clinical + size",
        model="elastic-net",
        features=("clinical", "size.tumour"),
        predicts=Predicts(outcome="distant metastasis", horizon_days=730.0),
        policy=policy,
        threshold=0.4,
        members=tuple(
            Member(name=f"repeat 1 fold {n}", repeat=1, threshold=0.4, calibration="platt")
            for n in range(1, len(members) + 1)
        ),
        columns=input_columns(RECIPES, encoded),
        encoded=encoded,
        recipes=tuple(
            RecipeUsed(name=r.name, kind=r.kind, label=r.label, fingerprint=r.fingerprint)
            for r in RECIPES
        ),
        reference=reference_of(seen),
        training=training_ids(of.case_ids, KEY),
        lineage=Lineage(
            run="a" * 32,
            rung="clinical + size",
            split="k-fold",
            split_hash="b" * 64,
            dataset_digest="c" * 64,
            code_version="0.1.0",
            replay=0.0,
        ),
    )


def written_package(folder: Path, *, policy: Policy = "complete-case") -> tuple[Path, str]:
    """Write a package into a new folder; return it and its digest."""
    of = rows()
    members = models(of)
    target = folder / "package"
    return target, write_package(package(of, members, policy=policy), card(), members, target)


def table_of(of: Rows, places: Sequence[int]) -> InputTable:
    """The rows as a person would write them down: sex in words, nothing where it is not known."""
    some = of.among(places)
    value = dict(zip(of.columns, some.values.T.tolist(), strict=True))
    sexes = [c.rpartition("=")[2] for c in COLUMNS if "=" in c]
    shares = [value[c] for c in COLUMNS if "=" in c]
    sex = [sexes[line.index(1.0)] for line in map(list, zip(*shares, strict=True))]
    numbers = {name: values for name, values in value.items() if "=" not in name}
    return InputTable(case_ids=some.case_ids, columns={**numbers, "clinical.sex": sex})


def held_out(seed: int = 3) -> HeldOutRows:
    """Patients whom nobody has learned from."""
    strangers = rows(30, seed=seed)
    ids = tuple(f"NEW-{n:03d}" for n in range(30))
    return HeldOutRows(**vars(replace(strangers, case_ids=ids, patient_ids=ids)))


def flip_last_bit(file: Path) -> None:
    """Change one bit of a file."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
