"""`evaluate --of`: a registered model on patients of elsewhere, as it is; looked at once."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np

from feature_store.snapshot import Snapshot
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import Calibration, calibration
from hnmets.evaluation.discrimination import Discrimination, discrimination
from hnmets.evaluation.estimate import Measured
from hnmets.evaluation.operating_point import OperatingPoint, operating_point
from hnmets.evaluation.predictions import Predictions
from hnmets.registry.audit_log import entry_of
from hnmets.registry.errors import LockedTestError
from hnmets.registry.package import Package
from hnmets.registry.prediction import Answer, FlagCode, Prediction
from hnmets.registry.versions import CHAMPION, Version
from hnmets.reporting.subgroup import SubgroupRow
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.ablate import measured_json
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.model_versions import audit_log
from hnmets.workflows.predict import OpenVersion, open_version
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study
from hnmets.workflows.subgroup_audit import audit_subgroups


@dataclass(frozen=True, kw_only=True)
class External:
    """What a model is worth elsewhere.

    Parameters
    ----------
    study
        Name of the other study.
    looks
        How often its patients were looked at, this time included.
    refused
        Why the model said nothing of a case, with counts.
    flags
        Warnings by code, with counts.
    """

    version: Version
    package: Package
    study: str
    looks: int
    predictions: Predictions
    discrimination: Discrimination
    operating_point: OperatingPoint
    calibration: Calibration
    subgroups: tuple[SubgroupRow, ...]
    refused: Mapping[str, int]
    flags: Mapping[str, int]

    @property
    def measures(self) -> dict[str, Measured]:
        """The numbers, headline first."""
        point, fit = self.operating_point, self.calibration
        return {
            "auc": self.discrimination.auc,
            "average_precision": self.discrimination.average_precision,
            "sensitivity": point.sensitivity,
            "specificity": point.specificity,
            "ppv": point.ppv,
            "npv": point.npv,
            "accuracy": point.accuracy,
            "calibration_slope": fit.slope,
            "calibration_intercept": fit.intercept,
            "observed_expected": fit.observed_expected,
            "brier": fit.brier,
        }

    def as_json(self) -> dict[str, object]:
        """Return everything as a JSON object; small groups are hidden in it too."""
        return {
            "version": self.version.number,
            "package": self.version.package,
            "rung": self.package.rung,
            "study": self.study,
            "looks": self.looks,
            "patients": self.predictions.n,
            "events": self.predictions.events,
            "threshold": self.package.threshold,
            "measures": {name: measured_json(each) for name, each in self.measures.items()},
            "subgroups": [asdict(row) for row in self.subgroups],
            "refused": dict(self.refused),
            "flags": dict(self.flags),
        }


def run(
    of: Study,
    other: Study,
    *,
    model: str = CHAMPION,
    again: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> External:
    """Apply a registered model, its calibration and its threshold to another cohort.

    Nothing is fitted. The look is recorded before anything is computed: a test that was seen
    once is no test of what is changed afterwards.

    Parameters
    ----------
    of
        The model's study.
    other
        Study of the other cohort, whose features are in its store.
    again
        Why patients who were looked at before are looked at again.

    Raises
    ------
    LockedTestError
        If the patients were looked at before, and nobody says why again.
    InvalidDataError
        If the outcomes differ, or the store has other recipes than the model's.
    """
    opened = open_version(of, model)
    package = opened.predictor.package
    _require_same_endpoint(package, other)
    cohort = read_cohort(other)
    snapshot = study_snapshot(other, cohort)
    event = _events(snapshot)
    looks = _look(of, opened, event, again=again, at=now())
    table = stored_inputs(package, snapshot, sorted(event), elsewhere=True)
    answers = opened.predictor.predict(table)
    predictions = _predictions(answers, event, cohort)
    bootstrap = Bootstrap(draws=other.evaluation.draws, seed=other.split.seed)
    said = [each for each in answers if isinstance(each, Prediction)]
    refused = [each.reason for each in answers if not isinstance(each, Prediction)]
    return External(
        version=opened.version,
        package=package,
        study=other.about.name,
        looks=looks,
        predictions=predictions,
        discrimination=discrimination(predictions, bootstrap),
        operating_point=operating_point(predictions, package.threshold),
        calibration=calibration(predictions, bootstrap),
        subgroups=audit_subgroups(
            other, cohort, {each.case_id for each in said}, predictions, bootstrap
        ),
        refused=dict(Counter(refused).most_common()),
        flags=dict(Counter(_codes(said)).most_common()),
    )


def looks_of(study: Study, version: Version) -> int:
    """Return how often patients of elsewhere were looked at with a version."""
    entries = audit_log(study).entries()
    return sum(e.action == "look" and e.package == version.package for e in entries)


def _require_same_endpoint(package: Package, other: Study) -> None:
    if other.outcome is None:
        raise InvalidDataError(f"study '{other.about.name}' has no outcome").with_note(
            "Add an [outcome] section to its study file."
        )
    if other.outcome.horizon != package.predicts.horizon_days:
        raise InvalidDataError(
            f"the model predicts {package.predicts.text}, the other study's horizon is "
            f"{other.outcome.horizon or 'none'}"
        ).with_note("Set the horizon of [outcome] as the model's study does.")


def _events(snapshot: Snapshot) -> dict[str, bool]:
    """Return the cases whose outcome is known."""
    matrix = snapshot.matrix(["outcome"])
    event = matrix.values[:, matrix.columns.index("outcome.event")]
    pairs = zip(matrix.case_ids, event.tolist(), strict=True)
    return {case_id: seen == 1 for case_id, seen in pairs if not np.isnan(seen)}


def _look(
    of: Study, opened: OpenVersion, event: Mapping[str, bool], *, again: str, at: datetime
) -> int:
    """Record the look; return how many there were, this one included.

    Raises
    ------
    LockedTestError
        If it is not the first, and nobody says why.
    """
    log = audit_log(of)
    what = hashlib.sha256(repr(sorted(event.items())).encode()).hexdigest()
    before = [e for e in log.entries() if e.action == "look" and e.what == what]
    if before and not again:
        first = before[0]
        raise LockedTestError(
            f"these patients were looked at {len(before)} times, first on {first.at[:10]} with "
            f"version {first.version}"
        ).with_note("What is chosen after a look is not tested by it: --again REASON.")
    log.append(
        entry_of(
            "look",
            model=opened.registry.name,
            version=opened.version.number,
            package=opened.version.package,
            at=at,
            reason=Privacy.of(of.folder).text(again),
            what=what,
        )
    )
    return len(before) + 1


def _predictions(
    answers: Sequence[Answer], event: Mapping[str, bool], cohort: Cohort
) -> Predictions:
    """Return one risk per patient: the mean over the patient's cases."""
    patient_of = {case.case_id: case.patient_id for case in cohort.cases}
    risks: dict[str, list[float]] = {}
    seen: dict[str, bool] = {}
    for each in answers:
        patient = patient_of[each.case_id]
        if isinstance(each, Prediction):
            risks.setdefault(patient, []).append(each.risk)
            seen[patient] = seen.get(patient, False) or event[each.case_id]
    if not risks:
        raise InvalidDataError("the model says nothing of any patient of the other study")
    patients = tuple(sorted(risks))
    return Predictions(
        patient_ids=patients,
        outcome=np.array([seen[patient] for patient in patients], dtype=np.bool_),
        risk=np.array([float(np.mean(risks[patient])) for patient in patients]),
    )


def _codes(said: Sequence[Prediction]) -> list[FlagCode]:
    return [flag.code for each in said for flag in each.flags]
