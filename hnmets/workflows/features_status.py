"""`features status`: what readers of the store see, and what its writer is doing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feature_store.errors import NothingPublishedError
from feature_store.progress import read_owner, read_progress
from feature_store.quarantine import Quarantined
from feature_store.snapshot import Coverage, Snapshot, read_snapshot
from hnmets.domain.errors import Code
from hnmets.extractors.altered import is_altered
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.store_view import in_view
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class StoreState:
    """The published generation and the build under way.

    Parameters
    ----------
    coverage, altered
        How far each recipe of the study is, and each one of a control or a perturbation.
    activity
        What the writer is doing, in words.
    """

    coverage: tuple[Coverage, ...]
    altered: tuple[Coverage, ...]
    quarantined: tuple[Quarantined, ...]
    activity: str

    def as_json(self) -> dict[str, Any]:  # Any: a tree of JSON values
        """Return the state as a JSON object."""
        return {
            "recipes": [_as_json(coverage) for coverage in self.coverage],
            "altered": [_as_json(coverage) for coverage in self.altered],
            "quarantined": [
                {"case": q.case_id, "code": q.code, "stage": q.stage, "detail": q.detail}
                for q in self.quarantined
            ],
            "activity": self.activity,
        }


def _as_json(coverage: Coverage) -> dict[str, object]:
    return {
        "recipe": coverage.recipe.label,
        "features": len(coverage.recipe.columns),
        "cases": coverage.n_cases,
        "rows": coverage.n_rows,
        "missing": list(coverage.missing),
    }


def run(study: Study) -> StoreState:
    """Read the published generation; a running build is not disturbed."""
    try:
        snapshot = read_snapshot(study.store_folder)
    except NothingPublishedError:
        snapshot = Snapshot(tables={})
    # How far the audit is, `features verify` tells.
    coverage = [
        c for c in in_view(read_cohort(study), snapshot).coverage() if c.recipe.kind != "audit"
    ]
    return StoreState(
        coverage=tuple(c for c in coverage if not is_altered(c.recipe)),
        altered=tuple(c for c in coverage if is_altered(c.recipe)),
        # Stale rows count as missing above; why, the entry of their case says.
        quarantined=tuple(q for q in snapshot.quarantined if q.code != Code.ROW_STALE),
        activity=_activity(study),
    )


def _activity(study: Study) -> str:
    owner, progress = read_owner(study.store_folder), read_progress(study.store_folder)
    if owner is None:
        return "no build is running"
    # Other writers than builds report no progress, and that of an earlier build stays behind.
    begun = datetime.fromisoformat(owner.since).timestamp()
    at = progress.get("at") if progress else None
    if progress is None or not isinstance(at, int | float) or at < begun:
        return f"the store is being written: {owner}"
    return f"a build is running: {owner}, {progress['done']} of {progress['total']} cases"
