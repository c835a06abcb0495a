from dataclasses import replace

import numpy as np
import pytest

from hnmets.datasets.rows import HeldOutRows, TrainRows
from hnmets.explanation.attribution import attribute_columns, attribute_modalities
from hnmets.explanation.margin import mean_of
from hnmets.explanation.modality_drop import modality_drop
from hnmets.models.base import Model
from hnmets.models.candidate import Candidate, FittedCandidate
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.fusion import Fusion
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.recalibration import log_odds_of
from hnmets.models.trees import RandomForest
from hnmets.selection.chain import Chain
from hnmets.selection.imputation import MedianImputation
from hnmets.selection.reference import SelectionParameters
from hnmets.selection.scaling import Scaling
from tests.models.heads import cohort, thirds

LINEAR = ElasticNet(strengths=(1.0,), l1_ratio=0.0)
HEAD = Fusion(parameters=HeadParameters(projection=4, hidden=(8,), sparsity=0.0, epochs=10))
FOREST = RandomForest(trees=20)
SCALED = Chain(steps=(MedianImputation(), Scaling()))
REFERENCE = SelectionParameters(trees=20, top=3, components=3).chain
SIGNALS = {0: 1.0, 7: 1.5, 9: 1.0}
MODELS = pytest.mark.parametrize("model", [LINEAR, HEAD, FOREST])


def fitted_on(
    model: Model, *, chain: Chain = REFERENCE, n: int = 160
) -> tuple[FittedCandidate, TrainRows, HeldOutRows]:
    training, choosing, held_out = thirds(cohort(3, n, SIGNALS))
    candidate = Candidate(name="all", chain=chain, model=model)
    return candidate.fit(training, choosing, seed=0), training, held_out.among([1])


@MODELS
def test_columns_and_modalities_sum_to_the_log_odds_of_the_risk(model: Model) -> None:
    fitted, training, case = fitted_on(model)
    expected = log_odds_of(fitted.risk(case))[0]
    for found in (
        attribute_columns(fitted, case, training, permutations=4),
        attribute_modalities(fitted, case, training),
    ):
        assert found.log_odds == pytest.approx(expected)
        assert found.base + found.values.sum() == pytest.approx(expected, abs=1e-9)


def test_a_linear_model_s_columns_are_coefficient_times_deviation() -> None:
    fitted, training, case = fitted_on(LINEAR, chain=SCALED)
    found = attribute_columns(fitted, case, training)
    deviation = (case.values[0] - training.values.mean(axis=0)) / training.values.std(axis=0)
    model = fitted.model
    expected = model.calibration.slope * model.coefficients * deviation  # type: ignore[attr-defined] - an elastic net
    np.testing.assert_allclose(found.values, expected, atol=1e-12)
    assert not found.standard_errors.any()


def test_a_linear_model_s_modalities_are_the_sums_of_their_columns() -> None:
    # 80 training cases: all of them are the background, so that both start from the mean
    fitted, training, case = fitted_on(LINEAR)
    assert len(training.case_ids) <= 100
    by_column = attribute_columns(fitted, case, training)
    by_modality = attribute_modalities(fitted, case, training)
    for name, value in zip(by_modality.names, by_modality.values, strict=True):
        of = np.array([modality == name for modality in by_column.modalities])
        assert value == pytest.approx(by_column.values[of].sum(), abs=1e-9)


def test_more_modalities_than_coalitions_can_be_played_are_sampled() -> None:
    names = [f"radiomics.r{n:02d}" for n in range(11)]
    training, choosing, held_out = thirds(cohort(3, 160, SIGNALS, names))
    fitted = Candidate(name="all", chain=SCALED, model=LINEAR).fit(training, choosing, seed=0)
    case = held_out.among([0])
    # A linear model's values do not depend on the order.
    found = attribute_modalities(fitted, case, training)
    np.testing.assert_allclose(
        found.values, attribute_columns(fitted, case, training).values, atol=1e-9
    )
    assert len(found.names) == 11


def test_modalities_that_the_rung_does_not_see_are_not_named() -> None:
    training, choosing, held_out = thirds(cohort(3, 160, SIGNALS))
    rung = Candidate(
        name="two", modalities=("clinical", "radiomics"), chain=SCALED, model=LINEAR
    ).fit(training, choosing, seed=0)
    found = attribute_modalities(rung, held_out.among([0]), training)
    assert set(found.names) == {"clinical", "radiomics.tumour"}


def test_an_average_patient_s_modalities_add_nothing_in_a_linear_model() -> None:
    fitted, training, case = fitted_on(LINEAR, chain=SCALED)
    average = replace(case, values=mean_of(training)[np.newaxis])
    np.testing.assert_allclose(
        attribute_modalities(fitted, average, training).values, 0, atol=1e-9
    )


def test_the_strongest_column_stands_first() -> None:
    fitted, training, case = fitted_on(LINEAR, chain=SCALED)
    found = attribute_columns(fitted, case, training)
    ordered = np.abs(found.values[list(found.strongest)])
    assert (np.diff(ordered) <= 0).all()


def test_sampled_columns_carry_their_error_and_the_seed_decides() -> None:
    fitted, training, case = fitted_on(FOREST)
    one, again, other = (
        attribute_columns(fitted, case, training, permutations=4, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.values, again.values)
    assert one.standard_errors.any()
    assert (np.abs(one.values - other.values) < 6 * (one.standard_errors + 0.02)).all()


@MODELS
def test_dropping_a_modality_is_giving_the_patient_an_average_one(model: Model) -> None:
    fitted, training, case = fitted_on(model)
    found = modality_drop(fitted, case, training)
    assert [drop.modality for drop in found] == ["embedding.both", "radiomics.tumour", "clinical"]
    without = case.values.copy()
    without[:, 6:9] = training.values[:, 6:9].mean(axis=0)
    expected = fitted.risk(replace(case, values=without))[0]
    assert found[1].risk_without == pytest.approx(expected)
    assert found[1].change == pytest.approx(fitted.risk(case)[0] - expected)


def test_the_mean_of_a_column_is_that_of_the_patients_who_have_it() -> None:
    training, _, _ = thirds(cohort(3, 16, {}))
    values = training.values.copy()
    values[:2, 0], values[2:, 0], values[:, 1] = np.nan, 3.0, np.nan
    found = mean_of(replace(training, values=values))
    assert found[0] == 3
    assert np.isnan(found[1])


def test_explanations_are_of_one_case() -> None:
    training, choosing, held_out = thirds(cohort(3, 80, SIGNALS))
    fitted = Candidate(name="all", chain=SCALED, model=LINEAR).fit(training, choosing, seed=0)
    for explain in (attribute_columns, attribute_modalities, modality_drop):
        with pytest.raises(ValueError, match="of one case, not of 20"):
            explain(fitted, held_out, training)  # type: ignore[operator] - all take the same
