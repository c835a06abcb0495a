"""The outcome model and the AUC that its latents allow."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hnmets.sources.synthetic.oracle import (
    MODALITIES,
    latent_oracles,
    modality_oracles,
    oracle_auc,
)
from hnmets.sources.synthetic.outcome_model import LATENTS, OUTCOME_MODELS, OutcomeModel
from hnmets.sources.synthetic.person import draw_latents

SUBSETS = (
    *((name,) for name in LATENTS),
    ("clinical", "volume"),
    ("volume", "texture", "ring"),
    ("clinical", "volume", "texture", "ring"),
    ("clinical", "spatial"),
    ("volume", "texture", "ring", "spatial"),
    LATENTS,
)
# Solved once on 300,000 draws and tabulated on 400,000 others, in the order of SUBSETS.
TABULATED = {
    "A": (0.650, 0.650, 0.648, 0.620, 0.651, 0.713, 0.745, 0.788, 0.730, 0.800, 0.835),
    "B": (0.649, 0.651, 0.649, 0.621, 0.720, 0.713, 0.746, 0.790, 0.795, 0.853, 0.883),
    "C": (0.619, 0.621, 0.619, 0.602, 0.721, 0.670, 0.700, 0.733, 0.780, 0.824, 0.845),
}


@pytest.mark.parametrize("name", TABULATED)
def test_quadrature_gives_the_tabulated_oracles(name: str) -> None:
    found = [oracle_auc(OUTCOME_MODELS[name], subset) for subset in SUBSETS]
    np.testing.assert_allclose(found, TABULATED[name], atol=0.003)


@pytest.mark.parametrize("name", TABULATED)
def test_scores_of_drawn_latents_reach_the_oracles(name: str) -> None:
    rng = np.random.default_rng(31)
    model = OUTCOME_MODELS[name]
    latents = draw_latents(rng, 400_000)
    risk = model.risk(latents)
    event = rng.random(risk.size) < risk
    assert event.mean() == pytest.approx(0.21, abs=0.004)
    for subset, tabulated in zip(SUBSETS, TABULATED[name], strict=True):
        columns = [LATENTS.index(latent) for latent in subset]
        reached = roc_auc_score(event, latents[:, columns] @ model.coefficients[columns])
        assert reached == pytest.approx(tabulated, abs=0.005), subset
        assert reached == pytest.approx(oracle_auc(model, subset), abs=0.004), subset


def test_a_single_coin_has_the_auc_worked_out_by_hand() -> None:
    # p(+) = 3/4 and p(-) = 1/4: three quarters of the events carry +, one quarter of the
    # others does, so AUC = 1/2 + (3/4 - 1/4) / 2.
    coin = OutcomeModel(
        intercept=0.0, clinical=0.0, volume=0.0, texture=0.0, ring=0.0, spatial=np.log(3.0)
    )
    assert oracle_auc(coin, ["spatial"]) == pytest.approx(0.75, abs=1e-12)
    assert oracle_auc(coin, ["clinical", "volume"]) == pytest.approx(0.5, abs=1e-12)


def test_risk_is_the_logistic_of_the_weighted_sum() -> None:
    # -2.26 + 0.83 + 2 * 0.85 - 0.85 + 0 - 1.39 = -1.97
    risk = OUTCOME_MODELS["B"].risk(np.array([[1.0, 2.0, -1.0, 0.0, -1.0]]))
    assert risk[0] == pytest.approx(1.0 / (1.0 + np.exp(1.97)), abs=1e-12)


def test_knowing_more_never_lowers_the_oracle() -> None:
    oracles = latent_oracles(OUTCOME_MODELS["B"])
    assert len(oracles) == 31
    for subset, auc in oracles.items():
        for name in set(LATENTS) - set(subset.split("+")):
            more = "+".join(n for n in LATENTS if n == name or n in subset.split("+"))
            assert oracles[more] > auc


def test_modalities_are_their_latents_and_none_is_counted_twice() -> None:
    model = OUTCOME_MODELS["B"]
    modalities, latents = modality_oracles(model), latent_oracles(model)
    assert modalities["radiomics"] == latents["volume+texture+ring"]
    assert modalities["clinical+size"] == latents["clinical+volume"]
    assert modalities["clinical+radiomics+spatial"] == max(latents.values())
    assert not any("size" in n and "radiomics" in n for n in modalities)
    assert set(MODALITIES) <= set(modalities)


def test_the_models_differ_in_the_spatial_part_and_in_what_all_latents_reach() -> None:
    weak, strong, as_strong = (oracle_auc(OUTCOME_MODELS[n], ["spatial"]) for n in "ACB")
    assert strong - weak > 0.06
    assert as_strong == pytest.approx(strong, abs=0.003)
    everything = [oracle_auc(OUTCOME_MODELS[name], LATENTS) for name in "ACB"]
    assert all(lower < higher for lower, higher in pairwise(everything))
