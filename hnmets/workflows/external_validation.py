"""`evaluate --of`: a registered model on patients of elsewhere, as it is; looked at once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from feature_store.atomic import write_atomic
from feature_store.snapshot import Snapshot
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import calibration
from hnmets.evaluation.discrimination import discrimination
from hnmets.evaluation.estimate import measured_text
from hnmets.evaluation.operating_point import operating_point
from hnmets.evaluation.predictions import Predictions
from hnmets.registry.package import Package
from hnmets.registry.prediction import Answer, FlagCode, Prediction
from hnmets.registry.versions import CHAMPION, LOOK, ModelRegistry
from hnmets.reporting.external import External, external_page
from hnmets.tracking.base import Tracker
from hnmets.tracking.environment import capture
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.privacy import Privacy
from hnmets.workflows import features_build
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.external_run import log_external
from hnmets.workflows.features_build import Request
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_networks import kept_embeddings
from hnmets.workflows.looks import Patients, record_look
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.predict import open_version
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study
from hnmets.workflows.subgroup_audit import audit_subgroups

_OUTCOME = "outcome"


def run(  # noqa: PLR0913 - what is tried on whom, and who is told; all named
    of: Study,
    other: Study,
    *,
    model: str = CHAMPION,
    again: str = "",
    equal_ids: str = "",
    page: Path | None = None,
    tracker: Tracker | None = None,
    on_case: OnCase = ignore,
    arguments: Sequence[str] = (),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> External:
    """Apply a registered model, its calibration and its threshold to another cohort.

    Nothing is fitted. The look is recorded before a risk is compared with an outcome: a test that
    was seen once is no test of what is changed afterwards. What can go wrong goes wrong before.

    Parameters
    ----------
    of
        The model's study.
    other
        Study of the other cohort, whose features are in its store.
    again
        Why patients who were looked at before are looked at again.
    equal_ids
        Why patients with the ids of training patients are other people.
    page
        File for the page that says what was found; replaced where it is there.

    Raises
    ------
    LockedTestError
        If the patients were looked at before, and nobody says why again.
    InvalidDataError
        If the outcomes differ, the store has other recipes than the model's, or patients have
        the ids of training patients and nobody says why.
    UsageError
        If the page cannot be a file.
    """
    opened = open_version(of, model)
    package = opened.predictor.package
    _require_same_endpoint(package, other)
    cohort = read_cohort(other)
    snapshot = _seen(of, package, other, cohort, on_case)
    event = _events(snapshot, other)
    table = stored_inputs(package, snapshot, sorted(event), elsewhere=True)
    answers = opened.predictor.predict(table)
    predictions = _predictions(answers, event, cohort)
    said = [each for each in answers if isinstance(each, Prediction)]
    flags = Counter(_codes(said))
    _require_strangers(flags[FlagCode.TRAINED_ON], len(said), other, reason=equal_ids)
    _require_writable(page)
    hidden = Privacy.of(of.folder)
    at, reason, equal_ids = now(), hidden.text(again), hidden.text(equal_ids)
    patients = Patients.of(other, event)
    looks = record_look(of, opened, patients, reason=reason, equal_ids=equal_ids, at=at)
    bootstrap = Bootstrap(draws=other.evaluation.draws, seed=other.split.seed)
    refused = [each.reason for each in answers if not isinstance(each, Prediction)]
    found = External(
        version=opened.version,
        package=package,
        study=other.about.name,
        cases=patients.digest,
        looks=looks,
        reason=reason,
        predictions=predictions,
        discrimination=discrimination(predictions, bootstrap),
        operating_point=operating_point(predictions, package.threshold),
        calibration=calibration(predictions, bootstrap),
        subgroups=audit_subgroups(
            other, cohort, {each.case_id for each in said}, predictions, bootstrap
        ),
        refused=dict(Counter(refused).most_common()),
        equal_ids=equal_ids,
        flags=dict(flags.most_common()),
    )
    _tell(of, found, opened.registry, page, tracker=tracker, arguments=arguments, at=at)
    return found


def _tell(  # noqa: PLR0913 - all named
    of: Study,
    found: External,
    registry: ModelRegistry,
    page: Path | None,
    *,
    tracker: Tracker | None,
    arguments: Sequence[str],
    at: datetime,
) -> None:
    """Write the page, log the run, and have the version itself say what it was worth."""
    text = external_page(found, model=registry.name, on=at.date())
    if page is not None:
        write_atomic(page, text.encode())
    privacy = Privacy.of(of.folder)
    environment = capture(arguments, privacy=privacy)
    with nullcontext(tracker) if tracker else open_tracker(of.folder) as opened:
        key = log_external(
            opened,
            found,
            experiment=of.about.name,
            page=text,
            environment=environment,
            at=at,
        )
    auc = measured_text(found.measures["auc"])
    said = f"{found.study}: AUC {auc}, look {found.looks}, run {key[:8]}"
    name = f"{LOOK}{found.cases[:8]}.{found.looks:03}"
    registry.remark(found.version, name, privacy.text(said))


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


def _require_strangers(known: int, of: int, other: Study, *, reason: str) -> None:
    """Refuse patients whom the model may have learned from.

    Raises
    ------
    InvalidDataError
        If there are any, and nobody says why they are other people.
    """
    if known and not reason:
        raise InvalidDataError(
            f"{known} of {of} cases of '{other.about.name}' have the id of a patient whom the "
            "model learned from"
        ).with_note(
            "Take these patients out of the other study's table. Where other people have equal "
            "ids, say how that is known: --equal-ids REASON."
        )


def _seen(of: Study, package: Package, other: Study, cohort: Cohort, on_case: OnCase) -> Snapshot:
    """Return what the other store has, and what the model's own networks see of its patients.

    These nobody there can have measured; what was measured once stays in the other store.
    """
    networks = kept_embeddings(of, package.networks, other)
    if networks:
        request = Request(only=("cohort",), networks=networks)
        features_build.run(other, request, on_case=on_case)
    own = frozenset(network.recipe.fingerprint for network in networks)
    return study_snapshot(other, cohort, also=own)


def _events(snapshot: Snapshot, other: Study) -> dict[str, bool]:
    """Return the cases whose outcome is known.

    Raises
    ------
    InvalidDataError
        If the store has no outcomes.
    """
    if not any(recipe.name == _OUTCOME for recipe in snapshot.recipes):
        raise InvalidDataError(
            f"the store of study '{other.about.name}' has no outcomes"
        ).with_note(f"Build them: `hnmets features build --study {other.file}`.")
    matrix = snapshot.matrix([_OUTCOME])
    event = matrix.values[:, matrix.columns.index(f"{_OUTCOME}.event")]
    pairs = zip(matrix.case_ids, event.tolist(), strict=True)
    return {case_id: seen == 1 for case_id, seen in pairs if not np.isnan(seen)}


def _require_writable(page: Path | None) -> None:
    """Make the page's folder, and write to it, before patients are looked at for nothing.

    Raises
    ------
    UsageError
        If the page is a folder.
    """
    if page is None:
        return
    if page.is_dir():
        raise UsageError(f"'{page.name}' is a folder, not a file to write a page to")
    page.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=page.parent):
        pass


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
