"""Whom an embedding's network has seen: it must never embed them to be scored.

A recipe whose network was trained on patients of this study carries their digests in its
parameters, under `trained_on`. The digests are part of its fingerprint, so that the networks of
two folds are two recipes.
"""

import hashlib
import re
from collections.abc import Iterable

from feature_store.recipe import Json, Recipe
from hnmets.datasets.errors import SeenInTrainingError
from hnmets.datasets.rows import Rows
from hnmets.domain.errors import InvalidDataError
from hnmets.sources.identity import spelling_key

TRAINED_ON = "trained_on"
# 64 bits: among 1500 patients two share a digest with probability 6e-14.
_DIGITS = 16
_DIGEST = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")


def patient_digest(patient_id: str) -> str:
    """Return the digest by which a recipe remembers a patient, however the id is spelled.

    Examples
    --------
    >>> patient_digest("HN-007") == patient_digest("hn-7")
    True
    """
    return hashlib.sha256(f"patient {spelling_key(patient_id)}".encode()).hexdigest()[:_DIGITS]


def trained_on(
    patient_ids: Iterable[str], *, split: str | None = None, fold: str | None = None
) -> dict[str, Json]:
    """Return what a recipe's parameters carry of its network's training patients.

    Parameters
    ----------
    patient_ids
        Patients from whose outcomes the weights were fitted; those of an inner part by which
        the training was stopped are not among them.
    split, fold
        Hash of the split and name of the fold whose training part they are.

    Examples
    --------
    >>> trained_on(["HN-007"])
    {'trained_on': {'patients': ['9f40f2d902ab47f1']}}
    """
    digests: list[Json] = [*sorted({patient_digest(patient) for patient in patient_ids})]
    place: dict[str, Json] = {"split": split, "fold": fold} if split and fold else {}
    return {TRAINED_ON: {"patients": digests, **place}}


def fold_of(recipe: Recipe, split: str) -> str | None:
    """Return the name of the fold of a split in which the recipe's network was trained.

    None where the network was trained in no fold of that split.
    """
    entry = recipe.parameters.get(TRAINED_ON)
    if not isinstance(entry, dict) or entry.get("split") != split:
        return None
    return str(entry["fold"])


def require_unseen(recipes: Iterable[Recipe], rows: Rows) -> None:
    """Check that no network was trained on a patient of these rows.

    Parameters
    ----------
    rows
        Rows that are to be scored, or to choose by.

    Raises
    ------
    SeenInTrainingError
        If one was.
    InvalidDataError
        If a recipe's `trained_on` cannot be read.
    """
    digests = {patient: patient_digest(patient) for patient in set(rows.patient_ids)}
    for recipe in recipes:
        seen = _seen(recipe)
        known = [
            case
            for case, patient in zip(rows.case_ids, rows.patient_ids, strict=True)
            if digests[patient] in seen
        ]
        if known:
            raise SeenInTrainingError(recipe.label, known)


def _seen(recipe: Recipe) -> frozenset[str]:
    if TRAINED_ON not in recipe.parameters:
        return frozenset()
    entry = recipe.parameters[TRAINED_ON]
    patients = entry.get("patients") if isinstance(entry, dict) else None
    if not isinstance(patients, list) or not all(
        isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in patients
    ):
        raise InvalidDataError(
            f"{recipe.label}: `{TRAINED_ON}` does not list the digests of its training patients"
        ).with_note("Embed again with weights whose file tells whom they were trained on.")
    return frozenset(map(str, patients))
