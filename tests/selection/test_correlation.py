import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hnmets.datasets.rows import TrainRows
from hnmets.datasets.univariate import column_auc, ranks
from hnmets.selection.correlation import CorrelationFilter, spearman
from tests.builders_rows import train_rows

EVENT = [False, False, False, True, True, True]
# AUC 1: all events above. AUC 8/9: one pair exchanged. Their Spearman is 1 - 6·2/210 = 0.943.
BEST = [1.0, 2, 3, 4, 5, 6]
NEXT = [1.0, 2, 4, 3, 5, 6]
# Spearman with BEST: 1 - 6·(9 + 1 + 4 + 4 + 1 + 9)/210 = 0.2, with NEXT -0.029.
OTHER = [4.0, 1, 5, 2, 6, 3]


def rows(*columns: list[float]) -> TrainRows:
    return train_rows(np.column_stack(columns), EVENT)


def test_rank_correlation_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).integers(0, 9, size=(30, 5)).astype(float)
    np.testing.assert_allclose(spearman(ranks(values)), spearmanr(values).statistic, atol=1e-12)


def test_a_constant_column_correlates_with_nothing() -> None:
    values = np.column_stack([np.ones(5), np.arange(5.0)])
    np.testing.assert_allclose(spearman(ranks(values)), [[0, 0], [0, 1]], atol=1e-15)


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        ((BEST, NEXT, OTHER), ("00", "02")),
        ((NEXT, BEST, OTHER), ("01", "02")),
        ((NEXT, OTHER, [-x for x in BEST]), ("01", "02")),
        ((BEST, BEST), ("00",)),
    ],
)
def test_the_better_of_two_alike_stays(
    columns: tuple[list[float], ...], kept: tuple[str, ...]
) -> None:
    fitted = CorrelationFilter().fit(rows(*columns))
    assert fitted.names == tuple(f"radiomics.tumour.{name}" for name in kept)


def test_a_dropped_column_names_the_one_that_stands_for_it() -> None:
    fitted = CorrelationFilter().fit(rows(NEXT, OTHER, BEST))
    assert fitted.represented_by == {"radiomics.tumour.00": "radiomics.tumour.02"}


def test_a_chain_of_likeness_is_cut_where_its_best_ends() -> None:
    # NEXT resembles BEST (0.94) and LAST (0.83), these two less (0.66): NEXT alone goes.
    last = [1.0, 2, 6, 3, 4, 5]
    fitted = CorrelationFilter(limit=0.8).fit(rows(BEST, NEXT, last))
    assert fitted.places.tolist() == [0, 2]


@given(seed=st.integers(0, 10**6), limit=st.sampled_from([0.5, 0.8, 0.9]))
def test_no_two_that_stay_are_alike_and_each_that_goes_has_a_better_one(
    seed: int, limit: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(20, 3))[:, rng.integers(0, 3, 12)] + 0.4 * rng.normal(size=(20, 12))
    event = rng.permutation(np.arange(20) < 8)
    fitted = CorrelationFilter(limit=limit).fit(train_rows(values, event))
    rho = np.abs(spearman(ranks(values)))
    merit = np.abs(column_auc(values, event) - 0.5)
    among_kept = rho[np.ix_(fitted.places, fitted.places)]
    assert (np.triu(among_kept, 1) <= limit + 1e-9).all()
    place = {name: number for number, name in enumerate(fitted.columns)}
    assert len(fitted.represented_by) + len(fitted.places) == 12
    for gone, stays in fitted.represented_by.items():
        assert place[stays] in fitted.places
        assert rho[place[gone], place[stays]] > limit
        assert merit[place[stays]] >= merit[place[gone]]


@given(seed=st.integers(0, 10**6))
def test_a_rising_transformation_of_a_column_changes_nothing(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(12, 6))
    event = np.arange(12) % 3 == 0
    bent = values.copy()
    bent[:, ::2] = np.exp(bent[:, ::2])
    step = CorrelationFilter(limit=0.5)
    before, after = (step.fit(train_rows(v, event)).names for v in (values, bent))
    assert before == after


def test_what_is_out_of_scope_stays() -> None:
    values = np.column_stack([BEST, BEST, BEST, BEST])
    modalities = ["radiomics.tumour", "clinical", "radiomics.ring", "radiomicsish"]
    fitted = CorrelationFilter().fit(train_rows(values, EVENT, modalities))
    assert fitted.places.tolist() == [0, 1, 3]


def test_without_a_column_or_with_one_class_the_first_stays() -> None:
    fitted = CorrelationFilter().fit(train_rows(np.empty((6, 0)), EVENT))
    assert fitted.names == ()
    one_class = train_rows(np.column_stack([NEXT, BEST]), [False] * 6)
    assert CorrelationFilter().fit(one_class).places.tolist() == [0]


def test_at_limit_one_copies_alone_go() -> None:
    step = CorrelationFilter(limit=1)
    assert step.fit(rows(BEST, NEXT, [-x for x in BEST])).places.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"limit is 1\.5"):
        CorrelationFilter(limit=1.5)


@pytest.mark.slow
def test_all_columns_of_a_real_cohort_take_seconds() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1497, 200)) @ rng.normal(size=(200, 3124))
    cohort = train_rows(values, rng.random(1497) < 0.21)
    CorrelationFilter().fit(cohort.of_columns(range(10)))
    start = time.process_time()
    CorrelationFilter().fit(cohort)
    # 1.3 s of CPU on an idle core; the margin is for a busy machine.
    assert time.process_time() - start < 6
