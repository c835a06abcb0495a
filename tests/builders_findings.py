"""Findings as a workflow would fill them, from simulated risks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from hnmets.datasets.suspicion import Suspicion
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import calibration
from hnmets.evaluation.comparison import Comparison, compare
from hnmets.evaluation.discrimination import discrimination, pooled_auc
from hnmets.evaluation.family import Verdict, judge
from hnmets.evaluation.fold_mean import fold_mean_auc
from hnmets.evaluation.net_benefit import decision_curve
from hnmets.evaluation.operating_point import operating_point
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.roc import RocCurve, roc_curve
from hnmets.evaluation.subgroups import subgroup_table
from hnmets.evaluation.youden import youden_threshold
from hnmets.reporting.audit import Control, Permutation, Stability
from hnmets.reporting.cohort import CohortFlow, Endpoint, Exclusion, MissingValues
from hnmets.reporting.curves import DecisionPoints, RiskHistogram, RocPoints
from hnmets.reporting.findings import Findings
from hnmets.reporting.lineage import Lineage, RecipeUse
from hnmets.reporting.missed import worst_cases
from hnmets.reporting.protocol import Protocol
from hnmets.reporting.published import Published, PublishedFigure
from hnmets.reporting.rung import AbsentRung, CalibrationNumbers, Contrast, Rung, Stage
from hnmets.reporting.selected import SelectedFeature, Selection
from hnmets.reporting.subgroup import subgroup_rows
from tests.builders_explained import explained_case
from tests.builders_predictions import patients

SPLIT = "9f" * 32
BOOTSTRAP = Bootstrap(draws=200, seed=1)
_FOLDS, _REPEATS = 5, 2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A rung to simulate: how much of the truth it sees (0 nothing, 1 all)."""

    name: str
    stage: Stage
    sees: float
    contains: tuple[str, ...]
    model: str = "logistic elastic net"
    n_features: int = 1
    n_selected: float | None = None


PLANS = (
    Plan(name="volume", stage=Stage.SIZE, sees=0.45, contains=("size",)),
    Plan(name="clinical", stage=Stage.CLINICAL, sees=0.5, contains=("clinical",), n_features=12),
    Plan(
        name="clinical + volume",
        stage=Stage.CLINICAL_SIZE,
        sees=0.6,
        contains=("clinical", "size"),
        n_features=13,
    ),
    Plan(
        name="radiomics, tumour",
        stage=Stage.RADIOMICS,
        sees=0.6,
        contains=("radiomics.tumour",),
        model="random forest",
        n_features=1562,
        n_selected=36.0,
    ),
    Plan(
        name="Swin embedding, tumour and ring",
        stage=Stage.DEEP,
        sees=0.55,
        contains=("embedding.both",),
        model="fusion head",
        n_features=768,
        n_selected=32.0,
    ),
    Plan(
        name="fusion: radiomics + embedding + clinical",
        stage=Stage.FUSION,
        sees=0.85,
        contains=("radiomics.tumour", "embedding.both", "clinical"),
        model="fusion head",
        n_features=2342,
        n_selected=80.0,
    ),
    Plan(
        name="radiomics of the peritumoral ring only",
        stage=Stage.ABLATION,
        sees=0.3,
        contains=("radiomics.ring",),
        model="random forest",
        n_features=1562,
        n_selected=36.0,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A cohort whose risks are known, and what each plan predicts of it."""

    truth: NDArray[np.float64]
    outcome: NDArray[np.bool_]
    fold: NDArray[np.int64]
    risks: Mapping[str, NDArray[np.float64]]

    def predictions(self, name: str) -> Predictions:
        return Predictions(
            patient_ids=patients(len(self.outcome)), outcome=self.outcome, risk=self.risks[name]
        )


def simulated(n: int = 320, *, events: int | None = None, seed: int = 7) -> Simulated:
    """Draw a cohort; `events` takes the patients of highest risk instead of a draw."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    truth = expit(-1.6 + 1.1 * score)
    outcome = rng.random(n) < truth
    if events is not None:
        outcome = np.zeros(n, bool)
        outcome[np.argsort(-score)[:events]] = True
    fold = np.stack([rng.permutation(np.arange(n) % _FOLDS) for _ in range(_REPEATS)])
    risks = {}
    for plan in PLANS:
        own = rng.normal(size=n)
        noise = own + 0.25 * rng.normal(size=(_REPEATS, n))
        risks[plan.name] = expit(-1.5 + plan.sees * score + (1 - plan.sees) * noise)
    return Simulated(truth=truth, outcome=outcome, fold=fold, risks=risks)


def findings(cohort: Simulated | None = None) -> Findings:
    """Return findings with every part filled, from a simulated cohort."""
    cohort = simulated() if cohort is None else cohort
    truth = replace(cohort.predictions(PLANS[0].name), risk=cohort.truth)
    oracle = pooled_auc(truth, BOOTSTRAP)
    n, events = truth.n, truth.events
    main = PLANS[5].name
    thresholds = _thresholds(cohort, main)
    sex = ["female" if place % 4 == 0 else "male" for place in range(n)]
    hpv = [("positive", "negative", None)[min(place % 9, 2)] for place in range(n)]
    centre = ["CHUM" if place < 7 else "HGJ" if place % 2 else "CHUS" for place in range(n)]
    subgroups = [
        subgroup_rows(variable, subgroup_table(cohort.predictions(main), groups, BOOTSTRAP))
        for variable, groups in (("sex", sex), ("HPV", hpv), ("centre", centre))
    ]
    return Findings(
        study="Simulated head and neck cohort",
        created="2026-03-01",
        flow=CohortFlow(
            read=n + 14,
            exclusions=(
                Exclusion(step="table", reason="outcome not known", count=9),
                Exclusion(step="images", reason="mask does not fit the image", count=5),
            ),
            included=n,
            patients=n,
            events=events,
        ),
        endpoint=Endpoint(
            name="distant metastasis",
            definition="first distant metastasis after the end of treatment, from the registry",
            horizon_days=1095.0,
            censoring="weighted by the inverse chance of being watched",
            competing="known not to get it after death",
            follow_up_days=1410.0,
        ),
        protocol=Protocol(
            split_kind="k-fold",
            folds=_FOLDS,
            repeats=_REPEATS,
            inner_folds=5,
            seed=0,
            split_hash=SPLIT,
            grouped_by="patient",
            threshold_rule="Youden's index on the inner part of each training part",
            calibration_rule="logistic recalibration on the inner part of each training part",
            bootstrap_draws=BOOTSTRAP.draws,
            level=0.95,
            registered=("fusion against clinical + volume",),
        ),
        headline=main,
        rungs=tuple(
            _rung(cohort, plan, oracle_auc=getattr(oracle, "value", None)) for plan in PLANS
        ),
        missing=(
            MissingValues(
                variable="alcohol", known=n - n // 8, missing=n // 8, handling="indicator"
            ),
            MissingValues(variable="age", known=n, missing=0, handling="none needed"),
        ),
        subgroups=tuple(row for rows in subgroups for row in rows),
        selections=(_selection(),),
        controls=(
            Control(
                kind="negative control",
                name="shuffled voxels",
                what="texture inside the tumour; volume and shape are kept",
                auc=pooled_auc(cohort.predictions("volume"), BOOTSTRAP),
                lead=compare(
                    cohort.predictions(main), cohort.predictions("volume"), BOOTSTRAP
                ).bootstrap,
                rung=main,
            ),
            Control(
                kind="shortcut",
                name="centre and scanner",
                what="acquisition alone",
                auc=pooled_auc(cohort.predictions(PLANS[6].name), BOOTSTRAP),
            ),
        ),
        stability=Stability(
            perturbations=("grown by 1 mm", "shrunk by 1 mm", "shifted"),
            patients=40,
            features=1562,
            reproducible=903,
            rung=main,
            risk_spread=0.031,
            risk_spread_worst=0.112,
        ),
        permutation=Permutation(
            rung=main, permutations=100, seed=0, auc=0.78, mean_auc=0.503, p_value=0.0099
        ),
        suspicions=(
            Suspicion(
                code="D_AUC",
                what="clinical.stage alone tells the outcome apart with AUC 0.961",
                next_step="Find out when and how it was measured before using it.",
            ),
        ),
        published=Published(
            source="arXiv 2508.20469",
            cohort="1497 patients in five folds",
            figures=(
                PublishedFigure(what="deep alone", measure="auc", value=0.715, rung=PLANS[4].name),
                PublishedFigure(what="fusion", measure="auc", value=0.803, rung=main),
                PublishedFigure(what="fusion", measure="sensitivity", value=0.73, rung=main),
            ),
        ),
        lineage=Lineage(
            recipes=(
                RecipeUse(name="radiomics.tumour", kind="radiomics", fingerprint="a1" * 32),
                RecipeUse(name="embedding.both", kind="embedding", fingerprint="b2" * 32),
            ),
            dataset_digest="c3" * 32,
            code_version="0.1.0",
            environment={"python": "3.12.3", "numpy": "2.3.0", "device": "cpu"},
        ),
        missed=worst_cases(
            cohort.predictions(main),
            thresholds,
            cases={patient: (patient.replace("HN", "CASE"),) for patient in truth.patient_ids},
            flags={"CASE-0290": ("dental artefact",)},
            count=3,
        ),
        explained=tuple(
            explained_case(case_id, rung=main, split_hash=SPLIT, dataset_digest="c3" * 32)
            for case_id in ("CASE-0002", "CASE-0290")
        ),
        statements={"17": "Simulated patients: no approval needed.", "18a": "None."},
        limits=("The cohort is simulated.",),
    )


def without(full: Findings, stage: Stage) -> Findings:
    """Return the findings of a cohort whose store has no features for a rung of the ladder."""
    absent = AbsentRung(stage=stage, reason="the store holds no features for it")
    rungs = [rung for rung in full.rungs if rung.stage is not stage]
    kept = {rung.name for rung in rungs}

    def found(contrast: Contrast | None) -> Contrast | None:
        return contrast if contrast and contrast.against in kept else None

    rungs = [
        replace(
            rung,
            versus_baseline=found(rung.versus_baseline),
            versus_previous=found(rung.versus_previous),
        )
        for rung in rungs
    ]
    return replace(full, rungs=tuple(rungs), absent=(absent,), published=None)


def _thresholds(cohort: Simulated, name: str) -> NDArray[np.float64]:
    """Each fold's threshold from the patients of the other folds, at every patient's place."""
    limits = np.empty_like(cohort.risks[name])
    for repeat, folds in enumerate(cohort.fold):
        for number in range(_FOLDS):
            training = folds != number
            limits[repeat, ~training] = youden_threshold(
                cohort.outcome[training], cohort.risks[name][repeat, training]
            )
    return limits


def _rung(cohort: Simulated, plan: Plan, *, oracle_auc: float | None) -> Rung:
    scored = cohort.predictions(plan.name)
    found = discrimination(scored, BOOTSTRAP)
    by_fold = fold_mean_auc(scored, cohort.fold)
    thresholds = _thresholds(cohort, plan.name)
    curve = roc_curve(scored)
    place = [other.name for other in PLANS].index(plan.name)
    return Rung(
        name=plan.name,
        stage=plan.stage,
        model=plan.model,
        contains=plan.contains,
        split_hash=SPLIT,
        n_features=plan.n_features,
        n_selected=plan.n_selected,
        n=scored.n,
        events=scored.events,
        auc=found.auc,
        fold_mean=by_fold.mean,
        one_class_folds=by_fold.n_one_class,
        average_precision=found.average_precision,
        prevalence=found.prevalence,
        thresholds=tuple(np.unique(thresholds).tolist()),
        operating=operating_point(scored, thresholds),
        calibration=CalibrationNumbers.of(calibration(scored, BOOTSTRAP)),
        roc=RocPoints.of(curve) if isinstance(curve, RocCurve) else curve,
        decision=DecisionPoints.of(decision_curve(scored, BOOTSTRAP)),
        histogram=RiskHistogram.of(scored),
        versus_baseline=_against(cohort, plan, PLANS[2]) if place > 2 else None,
        versus_previous=_against(cohort, plan, PLANS[place - 1]) if place > 3 else None,
        oracle_auc=oracle_auc,
    )


def _against(cohort: Simulated, plan: Plan, other: Plan) -> Contrast:
    comparison = compare(cohort.predictions(plan.name), cohort.predictions(other.name), BOOTSTRAP)
    return Contrast(
        against=other.name, delta=comparison.bootstrap, verdict=_verdict(plan, other, comparison)
    )


def _verdict(plan: Plan, other: Plan, comparison: Comparison) -> Verdict:
    name = f"{plan.name} against {other.name}"
    announced = plan.stage is Stage.FUSION and other.stage is Stage.CLINICAL_SIZE
    p_value = comparison.delong.p_value
    (verdict,) = judge({name: p_value}, [name] if announced else [])
    return verdict


def _selection() -> Selection:
    families = ("glszm_SmallAreaLowGrayLevelEmphasis", "glcm_Idn", "firstorder_Skewness")
    features = tuple(
        SelectedFeature(
            name=f"radiomics.tumour.wavelet-{band}_{family}",
            frequency=1.0 - 0.1 * place - 0.03 * number,
        )
        for place, band in enumerate(("LLH", "HLL", "HHH", "LLL"))
        for number, family in enumerate(families)
    )
    return Selection(
        rung=PLANS[5].name,
        folds=10,
        candidates=1562,
        features=features,
        given=(
            SelectedFeature(name="clinical.age", frequency=1.0),
            SelectedFeature(name="embedding.both.pc01", frequency=1.0),
            SelectedFeature(name="clinical.sex=unknown", frequency=0.7),
        ),
        stability=0.41,
    )
