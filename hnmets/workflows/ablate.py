"""`ablate`: which modality helps? All rungs on the same folds, every fold in MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.datasets.suspicion import Suspicion
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import measured_json
from hnmets.extractors.trained_embedding import KIND as TRAINED
from hnmets.reporting.published import Published
from hnmets.reporting.timed import Timed
from hnmets.sources.outcomes import DAYS_PER_MONTH
from hnmets.tracking.base import Tracker
from hnmets.tracking.environment import capture
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.ablation_audits import Audits
from hnmets.workflows.ablation_findings import Told
from hnmets.workflows.ablation_plan import Plan, prepare
from hnmets.workflows.ablation_runs import Ladder, log_ladder
from hnmets.workflows.contour_stability import (
    RiskSpread,
    reliability,
    risk_spread,
    stability_of,
)
from hnmets.workflows.cross_validation import CrossValidated, OutOfFold, nothing_more
from hnmets.workflows.kept_risks import keep_risks, kept_risks
from hnmets.workflows.label_permutation import label_permutation
from hnmets.workflows.ladder import Choice
from hnmets.workflows.negative_controls import negative_controls
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.oracles import oracles_of
from hnmets.workflows.procedure import Procedure
from hnmets.workflows.remembering import remembered
from hnmets.workflows.report import keep
from hnmets.workflows.rung_scores import RungScores, scores_of
from hnmets.workflows.shortcut_audit import ShortcutAudit
from hnmets.workflows.study import Study
from hnmets.workflows.subgroup_audit import audit_subgroups
from hnmets.workflows.timed_scores import timed_scores


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
    audits
        What the ladder was asked beside its numbers.
    findings
        File from which `hnmets report` is made; it names cases and stays in the store.
    timed
        The rungs by a horizon, or why that could not be measured.
    published
        Figures to be printed beside our own, of another cohort.
    oracles
        By rung, the AUC that the truth of a synthetic cohort allows.
    remarks
        What a reader has to know of trained backbones.
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
    audits: Audits
    oracles: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

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
            "remarks": list(self.remarks),
            "suspicions": [str(suspicion) for suspicion in self.suspicions],
            "ladder": [_as_json(scores, self.oracles) for scores in self.scores],
            "audits": {Path(name).stem: found for name, found in self.audits.documents.items()},
        }


def run(
    study: Study,
    *,
    choice: Choice | None = None,
    on_fold: OnCase = ignore,
    tracker: Tracker | None = None,
    arguments: Sequence[str] = (),
) -> Ablation:
    """Fit and score every rung in every fold.

    Parameters
    ----------
    choice
        The ladder by default; the study's own views are added.
    tracker
        Where runs are remembered; by default MLflow, beside the study file.
    arguments
        Of the command line; they are kept with the run, without folders and secrets.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, the store no features, a feature is the outcome, or nobody
        could be scored.
    UsageError
        If there is no rung of a name.
    """
    began = datetime.now(UTC)
    asked = choice or Choice()
    plan = prepare(study, asked)
    bootstrap = Bootstrap(draws=study.evaluation.draws, seed=study.split.seed)
    procedure = Procedure(
        split=plan.split,
        selection=study.selection,
        head=study.head,
        seed=study.split.seed,
        bootstrap=bootstrap,
        on_fold=on_fold,
    )
    spread = risk_spread(plan.dataset, plan.altered, plan.rungs)
    found = procedure.scored(
        plan.dataset, plan.rungs, on_fit=spread.listen if spread else nothing_more
    )
    _require_scores(found)
    timed = timed_scores(
        plan.dataset,
        found.rungs,
        by_days=study.evaluation.by_months * DAYS_PER_MONTH,
        bootstrap=bootstrap,
    )
    scores = scores_of(
        found.rungs,
        family=plan.family,
        bootstrap=bootstrap,
        timed=() if isinstance(timed, str) else timed.rungs,
    )
    audits = _audits(plan, procedure, found.rungs, spread, permutations=asked.permutations)
    now = datetime.now(UTC)
    oracles = oracles_of(plan.rungs, plan.dataset, study.root)
    environment = capture(arguments, privacy=Privacy.of(study.folder))
    told = Told(
        study=study.about.name,
        outcome=plan.outcome,
        cohort=plan.cohort,
        dataset=plan.dataset,
        split=plan.split,
        scores=scores,
        suspicions=plan.suspicions,
        family=plan.family,
        possible=plan.possible,
        bootstrap=bootstrap,
        at=now,
        environment=environment.tags,
        selection=study.selection,
        published=plan.published,
        timed=timed,
        audits=audits,
        oracles=oracles,
        statements=study.tripod,
    )
    ladder = Ladder(
        study=study.about.name,
        settings={setting.name: setting.value for setting in study.settings()},
        dataset=plan.dataset,
        split=plan.split,
        scores=scores,
        controls=audits.controls,
        documents=audits.documents,
        findings=told.findings,
        environment=environment,
        began=began,
        ended=now,
    )
    key, waiting = remembered(study.folder, partial(log_ladder, ladder=ladder), tracker)
    risks = kept_risks(
        found.rungs,
        run=key,
        choice=asked,
        split_hash=plan.split.hash,
        dataset_digest=plan.dataset.digest,
    )
    keep_risks(risks, study.store_folder, at=now)
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
        audits=audits,
        oracles=oracles,
        remarks=plan.remarks,
    )


def _require_scores(found: CrossValidated) -> None:
    """Refuse a ladder without a score: its folds had nothing to learn from."""
    if found.rungs[0].predictions.n == 0:
        fold, why = next(iter(found.unscored.items()))
        raise InvalidDataError(f"no patient was scored in every repeat; {fold}: {why}").with_note(
            "Gather more patients of the rarer class, or choose folds that hold out fewer of them."
        )


def _audits(
    plan: Plan,
    procedure: Procedure,
    rungs: Sequence[OutOfFold],
    spread: RiskSpread | None,
    *,
    permutations: int,
) -> Audits:
    """Ask whether the ladder's result is what it seems."""
    reliable = reliability(plan.dataset, plan.altered)
    main = rungs[-1]
    shortcuts = ShortcutAudit(
        study=plan.study,
        cohort=plan.cohort,
        dataset=plan.dataset,
        procedure=procedure,
        headline=main,
    )
    return Audits(
        subgroups=audit_subgroups(
            plan.study,
            plan.cohort,
            plan.dataset.rows.case_ids,
            main.predictions,
            procedure.bootstrap,
        ),
        controls=(
            *negative_controls(procedure, plan.dataset, plan.altered, rungs),
            *shortcuts.controls(),
        ),
        stability=stability_of(reliable, spread),
        permutation=label_permutation(
            procedure,
            plan.dataset,
            _untrained(plan.dataset.kinds, rungs),
            permutations=permutations,
            seed=procedure.seed,
        ),
        reliability=reliable.features if reliable else {},
    )


def _untrained(kinds: Mapping[str, str], rungs: Sequence[OutOfFold]) -> OutOfFold | None:
    """Return the last rung whose features have not learned from the outcomes to be shuffled."""
    plain = [r for r in rungs if all(kinds[name] != TRAINED for name in r.rung.recipes)]
    return plain[-1] if plain else None


def _as_json(scores: RungScores, oracles: Mapping[str, float]) -> dict[str, object]:
    rung, found = scores.out_of_fold.rung, scores.against_baseline
    return {
        "rung": rung.name,
        "model": rung.model,
        "features": list(rung.features),
        "measures": {name: measured_json(m) for name, m in scores.measures.items()},
        "oracle_auc": oracles.get(rung.name),
        "p_value": found.verdict.p_value if found else None,
        "adjusted_p": found.verdict.adjusted_p if found else None,
        "standing": found.verdict.standing.value if found else None,
    }
