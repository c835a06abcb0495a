"""`models register`: the models of an evaluated rung become a version that answers."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hnmets.registry.audit_log import entry_of
from hnmets.registry.card import Card
from hnmets.registry.mlflow_model import save_model
from hnmets.registry.package import Package, write_package
from hnmets.registry.predictor import Predictor
from hnmets.registry.versions import CHALLENGER, ModelRegistry, NewVersion, Version
from hnmets.workflows.kept_networks import keep_networks
from hnmets.workflows.kept_risks import risks_of
from hnmets.workflows.model_card import card_of
from hnmets.workflows.model_versions import audit_log, experiment_of, model_registry
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.packaging import models_of, package_of
from hnmets.workflows.refitting import Evaluated, FittedMember, evaluated, members, refits
from hnmets.workflows.replaying import largest_difference, require_replayed
from hnmets.workflows.report import stated_findings
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study

PACKAGE = "package"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A new version.

    Parameters
    ----------
    replay
        Largest difference between what the fold models say and what was evaluated.
    """

    name: str
    version: Version
    package: Package
    card: Card
    replay: float

    def as_json(self) -> dict[str, object]:
        """Return the version as a JSON object."""
        return {
            "model": self.name,
            "version": self.version.number,
            "package": self.version.package,
            "run": self.version.run,
            "rung": self.package.rung,
            "kind": self.package.kind,
            "members": len(self.package.members),
            "inputs": len(self.package.columns),
            "threshold": self.package.threshold,
            "largest_difference_from_evaluation": self.replay,
        }


def run(  # noqa: PLR0913 - what is registered, and who is told; all named
    study: Study,
    *,
    asked: str | None = None,
    rung: str | None = None,
    refit: bool = False,
    on_fold: OnCase = ignore,
    registry: ModelRegistry | None = None,
) -> Registered:
    """Fit the members of an evaluated rung again, compare them with the evaluation, and register.

    Parameters
    ----------
    asked
        Key of the run, or its beginning; the newest run by default.
    rung
        The one that the run's report is about by default.
    refit
        Whether to register models of all patients in place of the measured ones.

    Raises
    ------
    UsageError
        If there is no such run or rung, or the run is not in MLflow.
    InvalidDataError
        If features or folds have changed since.
    ReplayError
        If the members do not say what was evaluated.
    """
    kept = risks_of(study.store_folder, asked)
    findings = stated_findings(study, kept.run)
    of = evaluated(study, kept, rung or findings.headline)
    models = registry or model_registry(study)
    fitted = members(of, on_fold=on_fold)
    with tempfile.TemporaryDirectory() as place:
        measured = package_of(of, fitted, kind="members", name=models.name, replay=None)
        difference = _replayed(of, measured, fitted, Path(place) / "members")
        own = refits(of, on_fold=on_fold) if refit else fitted
        package = package_of(
            of,
            own,
            kind="refit" if refit else "members",
            name=models.name,
            replay=None if refit else difference,
        )
        card = card_of(package, findings)
        digest = write_package(package, card, models_of(own), Path(place) / PACKAGE)
        keep_networks(study, package.networks)
        made = _registered(study, models, package, digest, Path(place))
    return Registered(
        name=models.name, version=made, package=package, card=card, replay=difference
    )


def _registered(
    study: Study, models: ModelRegistry, package: Package, digest: str, place: Path
) -> Version:
    """Wrap a written package for MLflow, register it as the challenger, and record that."""
    save_model(package, place / PACKAGE, place / "model")
    new = NewVersion(
        folder=place / "model",
        package=digest,
        run=package.lineage.run,
        rung=package.rung,
        kind=package.kind,
    )
    made = models.register(new, experiment=experiment_of(study))
    models.call(CHALLENGER, made)
    entry = entry_of(
        "register",
        model=models.name,
        version=made.number,
        package=digest,
        at=datetime.now(UTC),
    )
    audit_log(study).append(entry)
    return models.version(str(made.number))


def _replayed(
    of: Evaluated, package: Package, fitted: Sequence[FittedMember], folder: Path
) -> float:
    """Write the members, read them back, and ask them; return the largest difference."""
    empty = Card(title="", measured="", unmeasured="", facts=(), figures=(), limits=())
    write_package(package, empty, models_of(fitted), folder)
    difference = largest_difference(
        Predictor.load(folder),
        dataset=of.plan.dataset,
        split=of.plan.split,
        snapshot=study_snapshot(of.plan.study, of.plan.cohort),
        kept=of.kept,
    )
    require_replayed(difference, rung=of.rung.name)
    return difference
