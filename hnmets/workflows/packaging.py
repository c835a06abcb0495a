"""The package of fitted members: what they have to be told, and where they come from."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

from feature_store.recipe import Recipe
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.rows import Rows
from hnmets.models.candidate import FittedCandidate
from hnmets.models.pruning import pruned
from hnmets.registry.columns import input_columns
from hnmets.registry.networks import Networks, told_columns
from hnmets.registry.package import Kind, Lineage, Member, Package, Predicts, RecipeUsed
from hnmets.registry.reference import reference_of
from hnmets.registry.training_ids import key_of, training_ids
from hnmets.tracking.environment import capture
from hnmets.tracking.params import flattened
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.refitting import Evaluated, FittedMember
from hnmets.workflows.study import Study


def models_of(fitted: Sequence[FittedMember]) -> tuple[FittedCandidate, ...]:
    """Return the models of members, with no more columns than they need."""
    return pruned([each.fitted for each in fitted])


def package_of(
    of: Evaluated, fitted: Sequence[FittedMember], *, kind: Kind, name: str, replay: float | None
) -> Package:
    """Describe fitted members.

    Parameters
    ----------
    name
        Of the registered model.
    replay
        See `Lineage`.
    """
    plan = of.plan
    members = tuple(_member(each, of) for each in fitted)
    networks = [each.networks for each in members]
    encoded = told_columns(models_of(fitted)[0].view.columns, networks)
    recipes = _recipes(of, networks)
    rows = _taught(_told(plan.dataset, encoded), fitted, kind)
    key = key_of(key_file(plan.study))
    return Package(
        name=name,
        created=datetime.now(UTC).date().isoformat(),
        kind=kind,
        rung=of.rung.name,
        model=of.rung.model,
        features=of.rung.features,
        predicts=Predicts(outcome=plan.outcome.name, horizon_days=plan.outcome.horizon),
        policy=plan.dataset.view.policy,
        threshold=median(each.threshold for each in fitted),
        members=members,
        columns=input_columns(recipes, encoded),
        encoded=encoded,
        recipes=tuple(
            RecipeUsed(name=r.name, kind=r.kind, label=r.label, fingerprint=r.fingerprint)
            for r in recipes
        ),
        reference=reference_of(rows),
        training=training_ids({*rows.case_ids, *rows.patient_ids}, key),
        lineage=_lineage(of, replay),
    )


def key_file(study: Study) -> Path:
    """Return where the key of the training ids lies: with the patients, never with the model."""
    return study.store_folder / "registry" / "training.key"


def _lineage(of: Evaluated, replay: float | None) -> Lineage:
    plan, privacy = of.plan, Privacy.of(of.plan.study.folder)
    settings = {setting.name: setting.value for setting in plan.study.settings()}
    told = flattened(settings, counted=("cohort.exclude",))
    return Lineage(
        run=of.kept.run,
        rung=of.rung.name,
        split=plan.split.parameters.label,
        split_hash=plan.split.hash,
        dataset_digest=plan.dataset.digest,
        code_version=version("hnmets"),
        replay=replay,
        environment=capture((), privacy=privacy).tags,
        settings={key: privacy.text(value) for key, value in told.items()},
    )


def _recipes(of: Evaluated, networks: Sequence[Networks]) -> list[Recipe]:
    """Return the recipes that a rung sees, those of all networks at the end."""
    dataset, labels = of.plan.dataset, {label for each in networks for label in each.values()}
    common = [recipe for recipe in dataset.recipes if recipe.name in of.rung.recipes]
    trained = (recipe for fold in dataset.fold_models.values() for recipe in fold.recipes)
    return [*common, *(recipe for recipe in trained if recipe.label in labels)]


def _told(dataset: Dataset, encoded: Sequence[str]) -> Rows:
    """Return all cases with the columns that have to be told."""
    rows = dataset.rows
    values = dict(zip(rows.columns, rows.values.T, strict=True))
    modality = dict(zip(rows.columns, rows.modalities, strict=True))
    for models in dataset.fold_models.values():
        seen = dict(zip(models.columns, models.values.T, strict=True))
        for recipe in models.recipes:
            for column in recipe.columns:
                name = f"{recipe.label}.{column}"
                values[name] = seen[f"{recipe.name}.{column}"]
                modality[name] = recipe.label
    return rows.with_columns(
        tuple(encoded),
        modalities=tuple(modality[name] for name in encoded),
        values=np.column_stack([values[name] for name in encoded]),
    )


def _member(each: FittedMember, of: Evaluated) -> Member:
    models = of.plan.dataset.fold_models.get(each.fold.name)
    trained = models.recipes if models else ()
    return Member(
        name=each.fold.name,
        repeat=each.fold.repeat,
        threshold=each.threshold,
        calibration=each.fitted.calibration.method,
        networks={r.name: r.label for r in trained if r.name in of.rung.recipes},
    )


def _taught(rows: Rows, fitted: Sequence[FittedMember], kind: Kind) -> Rows:
    """Return the cases that some member has learned from, or was calibrated by."""
    cases = {case for each in fitted for case in each.fold.training}
    if kind == "refit":
        cases |= {case for each in fitted for case in each.fold.held_out}
    return rows.among([place for place, case in enumerate(rows.case_ids) if case in cases])
