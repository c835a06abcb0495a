from dataclasses import replace

import numpy as np
import pytest

from hnmets.models.errors import TrainingDivergedError
from hnmets.models.fitted_fusion import FittedFusion
from hnmets.models.fusion import Fusion, FusionJob, fit_stack
from hnmets.models.head_parameters import Fusion as Kind
from hnmets.models.head_parameters import HeadParameters
from tests.models.heads import auc, cohort, thirds

PARAMETERS = HeadParameters(
    projection=8, hidden=(16,), learning_rate=3e-3, sparsity=0.0, batch_size=32, epochs=40
)
KINDS: tuple[Kind, ...] = ("concatenation", "gated", "attention")


def fitted(seed: int = 1, **changes: object) -> FittedFusion:
    training, choosing, _ = thirds(cohort(seed, 200, {0: 1.0}))
    model = Fusion(parameters=replace(PARAMETERS, **changes))  # type: ignore[arg-type]  # any setting
    return model.fit(training, choosing, seed=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", [2, 7, 10], ids=["embedding", "radiomics", "clinical"])
def test_a_signal_in_any_modality_is_found(kind: Kind, column: int) -> None:
    training, choosing, held_out = thirds(cohort(column, 800, {column: 1.5}))
    head = Fusion(parameters=replace(PARAMETERS, fusion=kind)).fit(training, choosing, seed=0)
    # The one column alone has AUC Φ(1.5/√2) = 0.856.
    assert auc(held_out.outcome, head.risk(held_out)) > 0.78


@pytest.mark.parametrize("kind", KINDS)
def test_noise_gives_chance_out_of_sample(kind: Kind) -> None:
    jobs, held_out = [], []
    for seed in range(12):
        training, choosing, scored = thirds(cohort(seed, 240, {}))
        parameters = replace(PARAMETERS, fusion=kind)
        jobs.append(FusionJob(rows=training, choosing=choosing, parameters=parameters, seed=seed))
        held_out.append(scored)
    heads = fit_stack(jobs)
    found = [auc(s.outcome, h.risk(s)) for h, s in zip(heads, held_out, strict=True)]
    # Twelve times 15 events of 60: the standard error of the mean is 0.025.
    assert 0.4 < np.mean(found) < 0.6


def test_a_stack_gives_the_risks_that_each_fit_gives() -> None:
    jobs = []
    for seed, kind in enumerate([*KINDS, "concatenation"]):
        training, choosing, held_out = thirds(cohort(seed, 120, {0: 1.0}))
        parameters = replace(PARAMETERS, fusion=kind, epochs=6)
        jobs.append(FusionJob(rows=training, choosing=choosing, parameters=parameters, seed=seed))
    for job, head in zip(jobs, fit_stack(jobs), strict=True):
        alone = Fusion(parameters=job.parameters).fit(job.rows, job.choosing, seed=job.seed)
        np.testing.assert_allclose(alone.risk(held_out), head.risk(held_out), atol=1e-4)


def test_class_weights_raise_scores_and_calibration_brings_back_the_prevalence() -> None:
    even, plain = fitted(weighting="balanced"), fitted(weighting="none")
    _, choosing, _ = thirds(cohort(1, 200, {0: 1.0}))
    assert even.log_odds(choosing).mean() > plain.log_odds(choosing).mean() + 0.5
    for head in (even, plain):
        assert head.calibration.method == "platt"
        assert head.risk(choosing).mean() == pytest.approx(0.25, abs=1e-6)


def test_columns_of_a_modality_need_not_stand_together() -> None:
    rows = cohort(1, 120, {0: 1.0})
    order = np.random.default_rng(0).permutation(len(rows.columns))
    training, choosing, held_out = thirds(rows.of_columns(order))
    head = Fusion(parameters=PARAMETERS).fit(training, choosing, seed=0)
    assert sorted(head.widths) == [2, 3, 6]
    for name, width in zip(head.modalities, head.widths, strict=True):
        assert training.modalities.count(name) == width
    assert np.isfinite(head.risk(held_out)).all()


def test_units_of_measurement_do_not_matter() -> None:
    rows = cohort(1, 120, {0: 1.0})
    scaled = replace(rows, values=rows.values * 2.0 ** np.arange(len(rows.columns)) + 1)
    risks = []
    for given in (rows, scaled):
        training, choosing, held_out = thirds(given)
        head = Fusion(parameters=PARAMETERS).fit(training, choosing, seed=0)
        risks.append(head.risk(held_out))
    np.testing.assert_allclose(risks[0], risks[1], atol=1e-3)


def test_a_rate_that_diverges_is_named() -> None:
    with pytest.raises(TrainingDivergedError, match=r"not finite in epoch \d+ .* rate 1e\+30"):
        fitted(learning_rate=1e30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dropout": 1.0},
        {"epochs": 0},
        {"hidden": (0,)},
        {"learning_rate": 0.0},
        {"sparsity": -0.1},
    ],
    ids=str,
)
def test_settings_that_train_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"between|at least|too low"):
        replace(PARAMETERS, **wrong)  # type: ignore[arg-type]  # what the type checker refuses


def test_weights_that_do_not_fit_the_settings_are_refused() -> None:
    head = fitted()
    for wrong in (
        {"parameters": replace(head.parameters, projection=5)},
        {"widths": (1,)},
        {"weights": {name: w for name, w in head.weights.items() if name != "out.bias"}},
    ):
        with pytest.raises(ValueError, match=r"of another shape|do not cover"):
            replace(head, **wrong)  # type: ignore[arg-type]  # any field
