"""`ablate`: which modality helps? All rungs on the same folds, every fold in MLflow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.fold_rows import folds_of
from hnmets.datasets.split import Split
from hnmets.datasets.split_file import frozen_split
from hnmets.datasets.subjects import subjects_of
from hnmets.datasets.suspicion import Suspicion, suspicions
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate, Measured
from hnmets.reporting.published import PAPER, Published
from hnmets.reporting.timed import Timed
from hnmets.sources.outcomes import DAYS_PER_MONTH, OutcomeRule
from hnmets.tracking.base import Tracker
from hnmets.tracking.environment import capture
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.ablation_findings import Told
from hnmets.workflows.ablation_runs import Ladder, log_ladder
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.cross_validation import cross_validate
from hnmets.workflows.ladder import BASELINE, Choice, Rung, rungs_of
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.report import keep
from hnmets.workflows.rung_scores import RungScores, scores_of
from hnmets.workflows.store_view import cases_in_view, recipes_in_view
from hnmets.workflows.study import Study
from hnmets.workflows.timed_scores import timed_scores

# With these a number would be a mistake and not a finding.
_STOPPING = ("D_OUTCOME_COPY", "D_OUTCOME_DIFFERS")


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """What an ablation found.

    Parameters
    ----------
    suspicions
        What is too good to be true, and did not stop the run.
    unscored
        Why a fold gave nothing, by its name.
    run
        Key of the run in MLflow.
    waiting
        Events that MLflow has not taken yet; they are sent by the next run.
    findings
        File from which `hnmets report` is made; it names cases and stays in the store.
    timed
        The rungs by a horizon, or why that could not be measured.
    published
        Figures to be printed beside our own, of another cohort.
    """

    dataset: Dataset
    split: Split
    scores: tuple[RungScores, ...]
    suspicions: tuple[Suspicion, ...]
    unscored: dict[str, str]
    run: str
    waiting: int
    findings: Path
    timed: Timed | str
    published: Published | None

    def as_json(self) -> dict[str, object]:
        """Return the ladder as a JSON object."""
        return {
            "run": self.run,
            "cases": len(self.dataset.rows.case_ids),
            "events": int(self.dataset.rows.outcome.sum()),
            "split": {"label": self.split.parameters.label, "hash": self.split.hash},
            "left_out": self.dataset.reasons,
            "policy": self.dataset.view.policy,
            "lacking": {each.modality: each.cases for each in self.dataset.absent if each.cases},
            "unscored": self.unscored,
            "suspicions": [str(suspicion) for suspicion in self.suspicions],
            "ladder": [_as_json(scores) for scores in self.scores],
        }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that an ablation works on."""

    outcome: OutcomeRule
    cohort: Cohort
    dataset: Dataset
    split: Split
    rungs: tuple[Rung, ...]
    suspicions: tuple[Suspicion, ...]
    published: Published | None


def run(
    study: Study,
    *,
    choice: Choice | None = None,
    on_fold: OnCase = ignore,
    tracker: Tracker | None = None,
) -> Ablation:
    """Fit and score every rung in every fold.

    Parameters
    ----------
    choice
        The ladder by default; the study's own views are added.
    tracker
        Where runs are remembered; by default MLflow, beside the study file.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, the store no features, or a feature is the outcome.
    UsageError
        If there is no rung of a name.
    """
    plan = prepare(study, choice or Choice())
    found = cross_validate(
        folds_of(plan.dataset, plan.split),
        plan.rungs,
        selection=study.selection,
        seed=study.split.seed,
        on_fold=on_fold,
    )
    bootstrap = Bootstrap(draws=study.evaluation.draws, seed=study.split.seed)
    family = _family(study, plan.rungs)
    timed = timed_scores(
        plan.dataset,
        found.rungs,
        by_days=study.evaluation.by_months * DAYS_PER_MONTH,
        bootstrap=bootstrap,
    )
    scores = scores_of(
        found.rungs,
        family=family,
        bootstrap=bootstrap,
        timed=() if isinstance(timed, str) else timed.rungs,
    )
    now = datetime.now(UTC)
    key, waiting = _remember(study, plan, scores, tracker, at=now)
    told = Told(
        study=study.about.name,
        outcome=plan.outcome,
        cohort=plan.cohort,
        dataset=plan.dataset,
        split=plan.split,
        scores=scores,
        suspicions=plan.suspicions,
        family=tuple(family),
        bootstrap=bootstrap,
        at=now,
        environment=capture((), privacy=Privacy.of(study.folder)).tags,
        published=plan.published,
        timed=timed,
    )
    return Ablation(
        dataset=plan.dataset,
        split=plan.split,
        scores=scores,
        suspicions=plan.suspicions,
        unscored=dict(found.unscored),
        run=key,
        waiting=waiting,
        findings=keep(told.findings, study.store_folder, run=key, at=now),
        timed=timed,
        published=plan.published,
    )


def prepare(study: Study, choice: Choice) -> Plan:
    """Read the features, freeze the folds, and question what is too good to be true.

    Raises
    ------
    InvalidDataError, UsageError
        See `run`.
    """
    if study.outcome is None:
        raise InvalidDataError(f"study '{study.about.name}' has no outcome").with_note(
            "Add an [outcome] section to the study file."
        )
    published = read_snapshot(study.store_folder)
    snapshot = published.among(cases_in_view(study, published), recipes_in_view(study, published))
    wanted = replace(choice, views=(*study.evaluation.views, *choice.views))
    rungs = rungs_of(_features(snapshot), wanted)
    names = dict.fromkeys(name for rung in rungs for name in rung.recipes)
    view = FeatureView(name=choice.name, recipes=tuple(names), policy=study.evaluation.policy)
    cohort = read_cohort(study)
    dataset = assemble(snapshot, view)
    subjects = subjects_of(snapshot, dates=_dates(study, cohort))
    split = frozen_split(study.store_folder, subjects, study.split)
    found = suspicions(dataset)
    if stopping := [each for each in found if each.code in _STOPPING]:
        raise InvalidDataError(str(stopping[0]))
    return Plan(
        outcome=study.outcome,
        cohort=cohort,
        dataset=dataset,
        split=split,
        rungs=rungs,
        suspicions=found,
        published=PAPER.among([rung.name for rung in rungs]) if choice.preset == "paper" else None,
    )


def _features(snapshot: Snapshot) -> list[Recipe]:
    targets = {"cohort", "outcome", "audit"}
    return [recipe for recipe in snapshot.recipes if recipe.kind not in targets]


def _dates(study: Study, cohort: Cohort) -> dict[str, str]:
    """Return the date by which a split goes, of the cases that have one."""
    if study.split.kind != "time":
        return {}
    variable = study.evaluation.date
    rule = study.clinical.get(variable)
    if rule is None or rule.type != "date":
        raise InvalidDataError(
            f"a split by time needs [evaluation] date, not '{variable}'"
        ).with_note("Name a variable of [clinical] of type `date`.")
    dates = {case.case_id: case.clinical[variable] for case in cohort.cases}
    return {case_id: str(date) for case_id, date in dates.items() if date is not None}


def _family(study: Study, rungs: Sequence[Rung]) -> list[str]:
    """Return the announced comparisons that the store's features allow."""
    names = {rung.name for rung in rungs}
    if BASELINE not in names:
        return []
    return [name for name in study.evaluation.family if name in names - {BASELINE}]


def _remember(
    study: Study,
    plan: Plan,
    scores: Sequence[RungScores],
    tracker: Tracker | None,
    *,
    at: datetime,
) -> tuple[str, int]:
    """Log everything; return the run's key and what could not be sent yet."""
    ladder = Ladder(
        study=study.about.name,
        settings={setting.name: setting.value for setting in study.settings()},
        dataset=plan.dataset,
        split=plan.split,
        scores=tuple(scores),
    )
    if tracker is not None:
        return log_ladder(tracker, ladder, at=at), 0
    with open_tracker(study.folder) as opened:
        key = log_ladder(opened, ladder, at=at)
        return key, opened.close()


def _as_json(scores: RungScores) -> dict[str, object]:
    rung, found = scores.out_of_fold.rung, scores.against_baseline
    return {
        "rung": rung.name,
        "model": rung.model,
        "features": list(rung.features),
        "measures": {name: measured_json(m) for name, m in scores.measures.items()},
        "p_value": found.verdict.p_value if found else None,
        "adjusted_p": found.verdict.adjusted_p if found else None,
        "standing": found.verdict.standing.value if found else None,
    }


def measured_json(measured: Measured) -> dict[str, object]:
    """Return a number with its interval, or why there is none."""
    if isinstance(measured, Estimate):
        return {"value": measured.value, "low": measured.low, "high": measured.high}
    return {"not_estimable": measured.reason}
