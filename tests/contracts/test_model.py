"""Every model keeps the same promises: risks of anybody, learned from training rows alone."""

from dataclasses import replace

import numpy as np
import pytest

from hnmets.datasets.rows import ChoosingRows, HeldOutRows, TrainRows
from hnmets.models.base import Model
from hnmets.models.candidate import Candidate
from hnmets.models.catalog import MODELS
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.errors import UntrainableError
from hnmets.models.fusion import Fusion
from hnmets.models.trees import GradientBoosting, RandomForest
from hnmets.selection.errors import AbsentValuesError, ColumnsDifferError
from hnmets.selection.reference import SelectionParameters
from tests.models.heads import auc, cohort, thirds

CANDIDATE = "candidate"
CHAIN = SelectionParameters(trees=20, top=3, components=3).chain


def small_model(name: str) -> Model:
    """A model of the catalog with few trees, strengths and epochs."""
    if name == CANDIDATE:
        return Candidate(name=name, chain=CHAIN, model=small_model("elastic-net"))
    model = MODELS[name]
    if isinstance(model, ElasticNet):
        return replace(model, strengths=(0.03, 0.3))
    if isinstance(model, RandomForest):
        return replace(model, trees=30)
    if isinstance(model, GradientBoosting):
        return replace(model, most_trees=30)
    assert isinstance(model, Fusion)
    small = replace(
        model.parameters, projection=8, hidden=(8,), batch_size=32, epochs=30, learning_rate=1e-2
    )
    return replace(model, parameters=small)


def parts() -> tuple[TrainRows, ChoosingRows, HeldOutRows]:
    return thirds(cohort(5, 240, {0: 1.2, 8: 1.2}))


@pytest.fixture(params=[*MODELS, CANDIDATE])
def model(request: pytest.FixtureRequest) -> Model:
    return small_model(request.param)


class TestModel:
    def test_a_signal_gives_risks_that_rank(self, model: Model) -> None:
        training, choosing, held_out = parts()
        risk = model.fit(training, choosing, seed=0).risk(held_out)
        assert (risk.dtype, risk.shape) == (np.float64, held_out.outcome.shape)
        assert (risk >= 0).all()
        assert (risk <= 1).all()
        assert auc(held_out.outcome, risk) > 0.7

    def test_the_same_rows_and_seed_give_the_same_risks(self, model: Model) -> None:
        training, choosing, held_out = parts()
        first = model.fit(training, choosing, seed=3).risk(held_out)
        np.testing.assert_array_equal(first, model.fit(training, choosing, seed=3).risk(held_out))

    def test_the_mean_risk_of_the_choosing_rows_is_their_share_of_events(
        self, model: Model
    ) -> None:
        training, choosing, _ = parts()
        fitted = model.fit(training, choosing, seed=0)
        assert fitted.calibration.method == "platt"
        assert fitted.risk(choosing).mean() == pytest.approx(choosing.outcome.mean(), abs=1e-6)

    def test_a_case_has_one_risk_whoever_else_is_there(self, model: Model) -> None:
        training, choosing, held_out = parts()
        fitted = model.fit(training, choosing, seed=0)
        alone = [fitted.risk(held_out.among([place]))[0] for place in range(5)]
        np.testing.assert_allclose(alone, fitted.risk(held_out)[:5], rtol=1e-5)

    def test_the_outcome_of_who_is_scored_is_not_looked_at(self, model: Model) -> None:
        training, choosing, held_out = parts()
        fitted = model.fit(training, choosing, seed=0)
        turned = replace(held_out, outcome=~held_out.outcome)
        np.testing.assert_array_equal(fitted.risk(turned), fitted.risk(held_out))

    def test_it_does_not_change_the_rows_that_it_is_given(self, model: Model) -> None:
        training, choosing, held_out = parts()
        model.fit(training, choosing, seed=0).risk(held_out)
        for given, fresh in zip((training, choosing, held_out), parts(), strict=True):
            np.testing.assert_array_equal(given.values, fresh.values)

    def test_rows_of_another_use_are_refused(self, model: Model) -> None:
        training, choosing, held_out = parts()
        with pytest.raises(TypeError, match=r"only TrainRows|are wanted"):
            model.fit(held_out, choosing, seed=0)  # type: ignore[arg-type]  # the checker refuses
        with pytest.raises(TypeError, match="TrainRows and HeldOutRows; "):
            model.fit(training, held_out, seed=0)  # type: ignore[arg-type]  # the checker refuses
        with pytest.raises(TypeError, match="TrainRows and TrainRows; "):
            model.fit(training, training, seed=0)  # type: ignore[arg-type]  # the checker refuses

    def test_rows_that_teach_nothing_are_refused(self, model: Model) -> None:
        training, choosing, _ = parts()
        one_class = training.among(np.flatnonzero(~training.outcome))
        with pytest.raises(UntrainableError, match="0 of 90 training cases have the event"):
            model.fit(one_class, choosing, seed=0)
        with pytest.raises(UntrainableError, match="0 cases to choose by"):
            model.fit(training, choosing.among([]), seed=0)

    def test_choosing_rows_of_one_class_leave_it_uncalibrated_and_it_says_so(
        self, model: Model
    ) -> None:
        training, choosing, held_out = parts()
        others = choosing.among(np.flatnonzero(~choosing.outcome))
        fitted = model.fit(training, others, seed=0)
        assert fitted.calibration.method == "none"
        assert fitted.calibration.reason.startswith("0 with the event")
        assert np.isfinite(fitted.risk(held_out)).all()

    def test_other_columns_are_refused(self, model: Model) -> None:
        training, choosing, held_out = parts()
        fitted = model.fit(training, choosing, seed=0)
        with pytest.raises(ColumnsDifferError, match="in another order"):
            fitted.risk(held_out.of_columns(range(len(held_out.columns))[::-1]))

    def test_a_gap_is_named_or_filled(self, model: Model) -> None:
        training, choosing, held_out = parts()
        fitted = model.fit(training, choosing, seed=0)
        held_out.values[2, 1] = np.nan
        if isinstance(model, Candidate):
            assert np.isfinite(fitted.risk(held_out)).all()
        else:
            with pytest.raises(AbsentValuesError, match=f"in case {held_out.case_ids[2]}"):
                fitted.risk(held_out)
