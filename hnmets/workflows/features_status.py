"""`features status`: what readers of the store see, and what its writer is doing."""

from dataclasses import dataclass
from typing import Any

from feature_store.errors import NothingPublishedError
from feature_store.progress import read_owner, read_progress
from feature_store.quarantine import Quarantined
from feature_store.snapshot import Coverage, Snapshot, read_snapshot
from hnmets.workflows.store_view import cases_in_view
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class StoreState:
    """The published generation and the build under way.

    Parameters
    ----------
    activity
        What the writer is doing, in words.
    """

    coverage: tuple[Coverage, ...]
    quarantined: tuple[Quarantined, ...]
    activity: str

    def as_json(self) -> dict[str, Any]:  # Any: a tree of JSON values
        """Return the state as a JSON object."""
        return {
            "recipes": [
                {
                    "recipe": c.recipe.label,
                    "features": len(c.recipe.columns),
                    "cases": c.n_cases,
                    "rows": c.n_rows,
                    "missing": list(c.missing),
                }
                for c in self.coverage
            ],
            "quarantined": [
                {"case": q.case_id, "code": q.code, "stage": q.stage, "detail": q.detail}
                for q in self.quarantined
            ],
            "activity": self.activity,
        }


def run(study: Study) -> StoreState:
    """Read the published generation; a running build is not disturbed."""
    try:
        snapshot = read_snapshot(study.store_folder)
    except NothingPublishedError:
        snapshot = Snapshot(tables={})
    seen = snapshot.among(cases_in_view(study, snapshot))
    return StoreState(
        coverage=seen.coverage(),
        quarantined=snapshot.quarantined,
        activity=_activity(study),
    )


def _activity(study: Study) -> str:
    owner, progress = read_owner(study.store_folder), read_progress(study.store_folder)
    if owner is None:
        return "no build is running"
    far = f", {progress['done']} of {progress['total']} cases" if progress else ""
    return f"a build is running: {owner}{far}"
