from dataclasses import replace

import numpy as np
import pytest

from hnmets.models.candidate import Candidate, CandidateJob, fit_all
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.errors import NoColumnsError
from hnmets.models.fusion import Fusion
from hnmets.models.head_parameters import HeadParameters
from hnmets.selection.chain import Chain
from hnmets.selection.reference import SelectionParameters
from hnmets.selection.scaling import Scaling
from tests.models.heads import auc, cohort, thirds

CHAIN = SelectionParameters(trees=20, top=3, components=3).chain
HEAD = Fusion(parameters=HeadParameters(projection=4, hidden=(8,), sparsity=0.0, epochs=5))
NET = ElasticNet(strengths=(0.1,))


def test_it_sees_its_modalities_alone() -> None:
    rows = cohort(0, 200, {0: 3.0, 7: 0.5})
    training, choosing, held_out = thirds(rows)
    radiomics = Candidate(name="radiomics", modalities=("radiomics",), chain=CHAIN, model=NET)
    fitted = radiomics.fit(training, choosing, seed=0)
    assert set(fitted.view.names) == {name for name in rows.columns if name.startswith("radio")}
    poisoned = replace(held_out, values=held_out.values.copy())
    poisoned.values[:, :6] = 1e9
    np.testing.assert_array_equal(fitted.risk(poisoned), fitted.risk(held_out))


def test_more_modalities_with_a_signal_rank_better() -> None:
    training, choosing, held_out = thirds(cohort(2, 1200, {0: 1.0, 7: 1.0}))
    found = [
        auc(
            held_out.outcome,
            Candidate(name="rung", modalities=seen, chain=CHAIN, model=NET)
            .fit(training, choosing, seed=0)
            .risk(held_out),
        )
        for seen in (("clinical",), ("radiomics",), ("radiomics", "embedding.both"))
    ]
    assert 0.4 < found[0] < 0.6
    assert found[0] < found[1] < found[2]


def test_candidates_fitted_together_are_those_fitted_alone() -> None:
    jobs = []
    for seed in (0, 1):
        training, choosing, held_out = thirds(cohort(seed, 160, {0: 1.0}))
        jobs += [
            CandidateJob(candidate=candidate, rows=training, choosing=choosing, seed=seed)
            for candidate in (
                Candidate(name="all", chain=CHAIN, model=HEAD),
                Candidate(name="net", chain=CHAIN, model=NET),
                Candidate(name="clinical", modalities=("clinical",), chain=CHAIN, model=HEAD),
            )
        ]
    together = fit_all(jobs)
    assert [fitted.name for fitted in together] == ["all", "net", "clinical"] * 2
    for job, fitted in zip(jobs, together, strict=True):
        alone = job.candidate.fit(job.rows, job.choosing, seed=job.seed)
        np.testing.assert_allclose(alone.risk(held_out), fitted.risk(held_out), atol=1e-5)


def test_steps_learn_from_the_training_rows_and_nobody_else() -> None:
    training, choosing, held_out = thirds(cohort(0, 160, {0: 1.0}))
    candidate = Candidate(name="all", chain=CHAIN, model=NET)
    before = candidate.fit(training, choosing, seed=0)
    poisoned = replace(choosing, values=choosing.values * 1000 + 7)
    after = candidate.fit(training, poisoned, seed=0)
    np.testing.assert_array_equal(
        before.chain.apply(before.view.apply(held_out)).values,
        after.chain.apply(after.view.apply(held_out)).values,
    )


def test_modalities_that_the_view_lacks_are_named() -> None:
    training, choosing, _ = thirds(cohort(0, 80, {}))
    candidate = Candidate(
        name="size only", modalities=("size",), chain=Chain(steps=(Scaling(),)), model=NET
    )
    with pytest.raises(NoColumnsError, match="'size only' sees size; the view has: embedding"):
        candidate.fit(training, choosing, seed=0)


def test_columns_that_tell_nobody_apart_are_no_columns() -> None:
    training, choosing, _ = thirds(cohort(0, 80, {}))
    alike = replace(training, values=np.ones_like(training.values))
    candidate = Candidate(name="all", chain=CHAIN, model=NET)
    with pytest.raises(
        NoColumnsError, match=r"'all': of .* none tells its 40 training cases apart"
    ):
        candidate.fit(alike, choosing, seed=0)
