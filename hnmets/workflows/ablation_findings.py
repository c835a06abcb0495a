"""An ablation in the form in which it is reported: everything that a reader asks for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.metadata import version

import numpy as np

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.datasets.suspicion import Suspicion
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import NotEstimable
from hnmets.evaluation.net_benefit import decision_curve
from hnmets.evaluation.roc import RocCurve, roc_curve
from hnmets.reporting.cohort import CohortFlow, Endpoint, Exclusion, MissingValues
from hnmets.reporting.curves import DecisionPoints, RiskHistogram, RocPoints
from hnmets.reporting.findings import Findings
from hnmets.reporting.lineage import Lineage, RecipeUse
from hnmets.reporting.missed import MissedCase, worst_cases
from hnmets.reporting.protocol import Protocol
from hnmets.reporting.published import Published
from hnmets.reporting.rung import LADDER, AbsentRung, CalibrationNumbers, Contrast, Rung, Stage
from hnmets.reporting.selected import SelectedFeature, Selection
from hnmets.reporting.timed import Timed
from hnmets.selection.imputation import ABSENT
from hnmets.selection.reference import SelectionParameters
from hnmets.selection.scope import in_scope
from hnmets.selection.stability import selection_frequency, selection_stability
from hnmets.sources.clinical import VariableType
from hnmets.sources.outcomes import OutcomeRule
from hnmets.workflows.ablation_audits import Audits
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.ladder import BASELINE
from hnmets.workflows.rung_scores import RungContrast, RungScores

_THRESHOLD = "Youden's index on the inner part of each training part"
_CALIBRATION = "Platt's on the inner part of each training part; few events move the intercept"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a report is made from.

    Parameters
    ----------
    at
        When the ablation was made.
    environment
        Versions and device, by name.
    selection
        What is chosen from in every fold.
    possible
        Names of the ladder's rungs that the store allows; those that were not fitted were not
        asked for.
    published
        Figures to be printed beside our own.
    timed
        The rungs by a horizon, or why that could not be measured.
    oracles
        By rung, the AUC that the truth of a synthetic cohort allows.
    statements
        Of the authors, by item of TRIPOD+AI.
    """

    study: str
    outcome: OutcomeRule
    cohort: Cohort
    dataset: Dataset
    split: Split
    scores: tuple[RungScores, ...]
    suspicions: tuple[Suspicion, ...]
    family: tuple[str, ...]
    bootstrap: Bootstrap
    at: datetime
    environment: Mapping[str, str]
    selection: SelectionParameters = field(default_factory=SelectionParameters)
    audits: Audits = field(default_factory=Audits)
    oracles: Mapping[str, float] = field(default_factory=dict)
    possible: tuple[str, ...] = ()
    published: Published | None = None
    timed: Timed | str = ""
    statements: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def findings(self) -> Findings:
        """The ladder with its cohort, its protocol and its origin."""
        main = self.scores[-1]
        return Findings(
            study=self.study,
            created=self.at.date().isoformat(),
            flow=self._flow,
            endpoint=self._endpoint,
            protocol=self._protocol,
            headline=main.out_of_fold.rung.name,
            rungs=tuple(self._rung(scores) for scores in self.scores),
            absent=self._absent,
            missing=self._missing,
            published=self.published,
            timed=None if isinstance(self.timed, str) else self.timed,
            not_timed=self.timed if isinstance(self.timed, str) else "",
            subgroups=self.audits.subgroups,
            selections=(self._selection(main),),
            controls=self.audits.controls,
            stability=self.audits.stability,
            permutation=self.audits.permutation,
            suspicions=self.suspicions,
            lineage=self._lineage,
            missed=self._missed(main),
            statements=self.statements,
        )

    @property
    def _scored(self) -> list[str]:
        """Cases of the patients who were scored."""
        patients = set(self.scores[0].out_of_fold.predictions.patient_ids)
        rows = self.dataset.rows
        pairs = zip(rows.case_ids, rows.patient_ids, strict=True)
        return [case for case, patient in pairs if patient in patients]

    @property
    def _flow(self) -> CohortFlow:
        """Follow every row of the manifest to where it ended."""
        predictions = self.scores[0].out_of_fold.predictions
        reasons = Counter(
            ("features", self.dataset.left_out.get(case.case_id, "not in the store"))
            for case in self.cohort.cases
            if case.case_id not in set(self.dataset.rows.case_ids)
        )
        scored = self._scored
        if unscored := len(self.dataset.rows.case_ids) - len(scored):
            reasons["folds", "held out in no fold that could be scored"] = unscored
        table = [
            Exclusion(step="table", reason=lost.code.value, count=lost.count)
            for lost in self.cohort.flow.exclusions
        ]
        later = [Exclusion(step=s, reason=r, count=n) for (s, r), n in reasons.most_common()]
        return CohortFlow(
            read=self.cohort.rows_read,
            exclusions=(*table, *later),
            included=len(scored),
            patients=predictions.n,
            events=predictions.events,
        )

    @property
    def _endpoint(self) -> Endpoint:
        rule = self.outcome
        return Endpoint(
            name=rule.name,
            definition=f"column '{rule.event}' of the table",
            horizon_days=rule.horizon,
            censoring="none: the event counts whenever it was seen"
            if rule.horizon is None
            else f"patients who were lost before the horizon: {rule.censored}",
            competing="death without the event: a competing risk in the numbers by a day, no "
            "event in all others"
            if rule.death
            else "not considered: the table does not tell of deaths",
            follow_up_days=self._median_follow_up,
        )

    @property
    def _median_follow_up(self) -> float | None:
        """Median days of the cases that were watched without the event."""
        days = self.dataset.time_days[~self.dataset.rows.outcome]
        known = days[np.isfinite(days)]
        return float(np.median(known)) if len(known) else None

    @property
    def _protocol(self) -> Protocol:
        parameters = self.split.parameters
        return Protocol(
            split_kind=parameters.kind,
            folds=len(np.unique(self.scores[0].out_of_fold.folds)),
            repeats=len(self.scores[0].out_of_fold.folds),
            inner_folds=parameters.inner_folds,
            seed=parameters.seed,
            split_hash=self.split.hash,
            grouped_by="patient",
            threshold_rule=_THRESHOLD,
            calibration_rule=_CALIBRATION,
            bootstrap_draws=self.bootstrap.draws,
            level=self.bootstrap.level,
            registered=tuple(f"{name} against {BASELINE}" for name in self.family),
        )

    @cached_property
    def _stages(self) -> dict[str, Stage]:
        """Where each rung stands."""
        return _stages_of([scores.out_of_fold.rung.name for scores in self.scores])

    @property
    def _absent(self) -> tuple[AbsentRung, ...]:
        run = set(self._stages.values())
        possible = set(_stages_of(self.possible).values())
        return tuple(
            AbsentRung(
                stage=stage,
                reason="it was not asked for"
                if stage in possible
                else "the store holds no features for it",
            )
            for stage in LADDER
            if stage not in run
        )

    @property
    def _missing(self) -> tuple[MissingValues, ...]:
        cases = len(self.dataset.rows.case_ids)
        return tuple(
            MissingValues(
                variable=variable.name,
                known=cases - missing,
                missing=missing,
                handling=_handling(variable.type, missing),
            )
            for variable in self.cohort.dictionary
            if variable.predictor
            for missing in [min(variable.missing, cases)]
        )

    @property
    def _lineage(self) -> Lineage:
        return Lineage(
            recipes=tuple(
                RecipeUse(name=r.name, kind=r.kind, fingerprint=r.fingerprint)
                for r in self.dataset.every_recipe
            ),
            dataset_digest=self.dataset.digest,
            code_version=version("hnmets"),
            environment={n: v for n, v in self.environment.items() if n != "hnmets_version"},
        )

    def _rung(self, scores: RungScores) -> Rung:
        found = scores.out_of_fold
        predictions, mean = found.predictions, scores.fold_mean
        curve = roc_curve(predictions)
        return Rung(
            name=found.rung.name,
            stage=self._stages.get(found.rung.name, Stage.ABLATION),
            model=found.rung.model,
            contains=found.rung.features,
            split_hash=self.split.hash,
            n_features=self._columns(found.rung.features),
            n_selected=float(np.median([len(columns) for columns in found.chosen])),
            n=predictions.n,
            events=predictions.events,
            auc=scores.discrimination.auc,
            fold_mean=mean.mean if mean else self._not_estimable("one fold has no mean"),
            one_class_folds=mean.n_one_class if mean else 0,
            average_precision=scores.discrimination.average_precision,
            prevalence=scores.discrimination.prevalence,
            thresholds=tuple(np.unique(found.thresholds).tolist()),
            operating=scores.operating_point,
            calibration=CalibrationNumbers.of(scores.calibration),
            roc=RocPoints.of(curve) if isinstance(curve, RocCurve) else curve,
            decision=DecisionPoints.of(decision_curve(predictions, self.bootstrap)),
            histogram=RiskHistogram.of(predictions),
            versus_baseline=_contrast(scores.against_baseline),
            versus_previous=_contrast(scores.against_previous),
            oracle_auc=self.oracles.get(found.rung.name),
        )

    def _columns(self, features: Sequence[str]) -> int:
        return len(in_scope(self.dataset.rows, features))

    def _not_estimable(self, reason: str) -> NotEstimable:
        predictions = self.scores[0].out_of_fold.predictions
        return NotEstimable(reason=reason, n=predictions.n, events=predictions.events)

    def _selection(self, scores: RungScores) -> Selection:
        """Tell the columns that the folds chose from those that every model is given."""
        found, rows = scores.out_of_fold, self.dataset.rows
        eligible = np.intersect1d(
            in_scope(rows, found.rung.features), in_scope(rows, self.selection.radiomics)
        )
        names = {rows.columns[place] for place in eligible}
        # What says that a column is absent is chosen with it.
        chosen = [
            {name for name in columns if name.removesuffix(ABSENT) in names}
            for columns in found.chosen
        ]
        candidates = len(names.union(*chosen))
        frequency = selection_frequency(found.chosen)
        features = selection_frequency(chosen)
        return Selection(
            rung=found.rung.name,
            folds=found.n_fits,
            candidates=candidates,
            features=_selected(features),
            given=_selected({n: share for n, share in frequency.items() if n not in features}),
            stability=selection_stability(chosen, candidates)
            if candidates and len(chosen) > 1
            else None,
        )

    def _missed(self, scores: RungScores) -> tuple[MissedCase, ...]:
        rows = self.dataset.rows
        cases: dict[str, tuple[str, ...]] = {}
        for case, patient in zip(rows.case_ids, rows.patient_ids, strict=True):
            cases[patient] = (*cases.get(patient, ()), case)
        found = scores.out_of_fold
        return worst_cases(found.predictions, found.thresholds, cases=cases, flags={})


def _stages_of(names: Sequence[str]) -> dict[str, Stage]:
    """Return the stage of rungs; of each kind one is the ladder's, the others are ablations."""
    chosen = {
        Stage.SIZE: _first(names, "size"),
        Stage.CLINICAL: _first(names, "clinical"),
        Stage.CLINICAL_SIZE: _first(names, BASELINE),
        Stage.RADIOMICS: _first(names, "radiomics", "radiomics tumour"),
        Stage.DEEP: _first(names, "embedding both", "Swin embedding"),
        Stage.FUSION: next((name for name in names[-1:] if name.endswith("fused")), None),
    }
    return {name: stage for stage, name in chosen.items() if name is not None}


def _handling(kind: VariableType, missing: int) -> str:
    if not missing:
        return "nothing was missing"
    return "median of the training part" if kind == "number" else "a category of its own"


def _first(names: Sequence[str], *wanted: str) -> str | None:
    return next((name for name in wanted if name in names), None)


def _selected(frequency: Mapping[str, float]) -> tuple[SelectedFeature, ...]:
    return tuple(SelectedFeature(name=n, frequency=share) for n, share in frequency.items())


def _contrast(found: RungContrast | None) -> Contrast | None:
    if found is None:
        return None
    return Contrast(
        against=found.against,
        delta=found.comparison.bootstrap,
        fold_delta=found.over_folds,
        verdict=found.verdict,
    )
