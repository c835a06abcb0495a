"""`models verify`: whether a version is as it was registered, and says what was measured."""

from dataclasses import dataclass

from hnmets.registry.errors import TamperedPackageError
from hnmets.registry.mlflow_model import tree_digest
from hnmets.registry.versions import Version
from hnmets.workflows.kept_risks import risks_of
from hnmets.workflows.predict import OpenVersion, open_version
from hnmets.workflows.refitting import evaluated
from hnmets.workflows.replaying import largest_difference, require_replayed
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A version that is as it was.

    Parameters
    ----------
    replay
        Largest difference from the evaluation; None for a refit.
    """

    version: Version
    replay: float | None

    def as_json(self) -> dict[str, object]:
        """Return the result as a JSON object."""
        return {
            "version": self.version.number,
            "untouched": True,
            "largest_difference_from_evaluation": self.replay,
        }


def run(study: Study, asked: str) -> Verified:
    """Compare files with digests, and risks with those of the evaluation.

    Raises
    ------
    UsageError
        If there is no such version, or its run is no longer in the store.
    TamperedPackageError
        If a file is not as it was registered.
    ReplayError
        If a risk differs by more than 1e-12.
    """
    opened = open_version(study, asked)
    require_registered_model(opened)
    if opened.predictor.package.kind == "refit":
        return Verified(version=opened.version, replay=None)
    difference = replay(study, opened)
    require_replayed(difference, rung=opened.version.rung)
    return Verified(version=opened.version, replay=difference)


def require_registered_model(opened: OpenVersion) -> None:
    """Compare everything that MLflow keeps, the code that it runs among it.

    Raises
    ------
    TamperedPackageError
        If it is not as it was registered.
    """
    found = tree_digest(opened.folder)
    if found != opened.version.model:
        reason = f"what MLflow runs of version {opened.version.number} is not as registered"
        raise TamperedPackageError(opened.registry.name, reason)


def replay(study: Study, opened: OpenVersion) -> float:
    """Ask each member about the patients by whom it was measured; see `largest_difference`."""
    kept = risks_of(study.store_folder, opened.version.run)
    of = evaluated(study, kept, opened.version.rung)
    return largest_difference(
        opened.predictor,
        dataset=of.plan.dataset,
        split=of.plan.split,
        snapshot=study_snapshot(study, of.plan.cohort),
        kept=kept,
    )
