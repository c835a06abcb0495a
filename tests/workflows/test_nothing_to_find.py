"""Where there is nothing to find, the ladder finds nothing: chance, and p-values at random."""

import numpy as np
import pytest

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.discrimination import auc_of
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.names import ModelName
from hnmets.selection.reference import SelectionParameters
from hnmets.workflows.label_permutation import label_permutation
from hnmets.workflows.ladder import Rung
from hnmets.workflows.on_case import ignore
from hnmets.workflows.procedure import Procedure
from tests.builders_rows import dataset_of, subjects_in, train_rows

PATIENTS, EVENTS = 120, 30
MODALITY = "radiomics.tumour"


def noise(seed: int, columns: int) -> Dataset:
    """Columns that know nothing of the outcome."""
    values = np.random.default_rng(seed).normal(size=(PATIENTS, columns))
    return dataset_of(train_rows(values, np.arange(PATIENTS) < EVENTS, MODALITY))


def procedure(dataset: Dataset, seed: int, *, folds: int) -> Procedure:
    parameters = SplitParameters(folds=folds, repeats=1, inner_folds=3, seed=seed)
    return Procedure(
        split=draw(subjects_in(dataset.rows), parameters),
        selection=SelectionParameters(trees=20, top=10),
        head=HeadParameters(),
        seed=seed,
        bootstrap=Bootstrap(draws=100),
        on_fold=ignore,
    )


def rung(model: ModelName) -> Rung:
    return Rung(name="noise", recipes=(MODALITY,), model=model)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["logistic", "elastic-net", "fusion"])
def test_noise_is_chance_through_selection_model_threshold_and_pooling(model: ModelName) -> None:
    aucs = []
    for seed in range(12):
        data = noise(seed, columns=300)
        (found,) = procedure(data, seed, folds=5).scored(data, [rung(model)]).rungs
        aucs.append(auc_of(found.predictions))
    assert 0.45 < np.mean(aucs) < 0.55


@pytest.mark.slow
def test_on_twenty_cohorts_of_noise_the_p_values_of_shuffling_are_uniform() -> None:
    p_values = []
    for seed in range(20):
        data = noise(seed, columns=5)
        how = procedure(data, seed, folds=2)
        (real,) = how.scored(data, [rung("logistic")]).rungs
        found = label_permutation(how, data, real, permutations=9, seed=seed)
        assert found is not None
        p_values.append(found.p_value)
    # Of a uniform draw from 0.1, 0.2, …, 1 the mean of 20 is 0.55 ± 0.19 in 997 of 1000 cases,
    # and more than six are at most 0.1 in 2 of 1000.
    assert 0.36 < np.mean(p_values) < 0.74
    assert sum(p <= 0.1 for p in p_values) <= 6
