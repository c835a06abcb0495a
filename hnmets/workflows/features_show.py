"""`features show`: everything the store knows of one case."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from feature_store.recipe import Recipe, Scalar
from feature_store.row import Row
from feature_store.snapshot import read_snapshot
from hnmets.domain.errors import UsageError
from hnmets.extractors.altered import is_altered
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.store_view import cases_in_view
from hnmets.workflows.study import Study

_KINDS = ("cohort", "clinical", "outcome", "size", "radiomics", "audit", "table", "embedding")


@dataclass(frozen=True, kw_only=True)
class ShownPart:
    """One row in a form that people read.

    Parameters
    ----------
    values
        (column, value); None where absent.
    notes
        What is absent and why, quality flags, how it was made.
    """

    title: str
    values: tuple[tuple[str, Scalar], ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return the row as a JSON object."""
        return {"row": self.title, "values": dict(self.values), "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True)
class ShownCase:
    """All rows of a case, and its current problems."""

    parts: tuple[ShownPart, ...]
    problems: tuple[str, ...]


def run(study: Study, case_id: str) -> ShownCase:
    """Read the rows of a case.

    Raises
    ------
    UsageError
        If the store knows nothing of the case.
    """
    snapshot = read_snapshot(study.store_folder)
    recipes = {recipe.fingerprint: recipe for recipe in snapshot.recipes}
    rows = sorted(snapshot.case(case_id), key=lambda row: _order(recipes[row.fingerprint]))
    parts = tuple(_shown(row, recipes[row.fingerprint]) for row in rows)
    problems = [
        f"quarantined, {q.code} in {q.stage}: {q.detail}"
        for q in snapshot.quarantined
        if q.case_id == case_id
    ]
    if parts and case_id not in cases_in_view(read_cohort(study), snapshot):
        problems.append("not in the cohort: its rows are history and are not exported")
    if not parts and not problems:
        raise UsageError(f"the store knows no case '{case_id}'").with_note(
            f"It has {len(snapshot.case_ids)}, from '{snapshot.case_ids[0]}' on."
            if snapshot.case_ids
            else "It is empty: run `hnmets features build`."
        )
    return ShownCase(parts=parts, problems=tuple(problems))


def _order(recipe: Recipe) -> tuple[bool, int, str]:
    """Put what a person knows first, what only a network knows last, controls after all."""
    kind = _KINDS.index(recipe.kind) if recipe.kind in _KINDS else len(_KINDS)
    return is_altered(recipe), kind, recipe.name


def _shown(row: Row, recipe: Recipe) -> ShownPart:
    values = tuple(
        (column, _plain(value)) for column, value in zip(recipe.columns, row.values, strict=True)
    )
    notes = [f"absent {columns}: {why}" for columns, why in row.reasons.items()]
    notes += _facts("flag", row.flags)
    notes += _facts("made with", row.made_with)
    part = f", part {row.part}" if row.part else ""
    return ShownPart(title=f"{recipe.label}{part}", values=values, notes=tuple(notes))


def _plain(value: object) -> Scalar:
    if value is None or isinstance(value, str | bool):
        return value
    number = float(value)  # type: ignore[arg-type]  # rows hold scalars and numbers of NumPy
    return number if isfinite(number) else None


def _facts(what: str, facts: Mapping[str, Scalar] | Mapping[str, str]) -> list[str]:
    # A share of 0 and a flag that is not raised are no news.
    told = {name: fact for name, fact in facts.items() if fact}
    shown = [f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {v}" for k, v in told.items()]
    return [f"{what}: {', '.join(shown)}"] if shown else []
