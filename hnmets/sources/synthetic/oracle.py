"""The best AUC that anything can reach which sees only some of the latents."""

from collections.abc import Collection, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from hnmets.sources.synthetic.outcome_model import LATENTS, OutcomeModel

# What the features of a modality can see of the latents.
MODALITIES: dict[str, tuple[str, ...]] = {
    "clinical": ("clinical",),
    "size": ("volume",),
    "radiomics": ("volume", "texture", "ring"),
    "spatial": ("spatial",),
}
_NODES = np.linspace(-6.0, 6.0, 241)


def oracle_auc(model: OutcomeModel, known: Collection[str]) -> float:
    """AUC of the best score made of the known latents, by quadrature.

    The latents are independent, so the chance of the event given the known ones rises with
    their part of the linear predictor: that part is the best score.

    Parameters
    ----------
    known
        Names out of `LATENTS`, at least one.
    """
    score, weight = _distribution(model, known)
    rest, rest_weight = _distribution(model, [name for name in LATENTS if name not in known])
    risk = expit(model.intercept + score[:, None] + rest[None, :]) @ rest_weight
    order = np.argsort(score, kind="stable")
    events = (weight * risk)[order]
    others = (weight * (1.0 - risk))[order]
    # An event beats all that score lower and draws with its own node.
    wins = events @ (np.cumsum(others) - 0.5 * others)
    return float(wins / (events.sum() * others.sum()))


def latent_oracles(model: OutcomeModel) -> dict[str, float]:
    """Oracle AUC of each latent and each combination, 31 in all, by `a+b`."""
    subsets = (c for size in range(1, len(LATENTS) + 1) for c in combinations(LATENTS, size))
    return {"+".join(subset): oracle_auc(model, subset) for subset in subsets}


def modality_oracles(model: OutcomeModel) -> dict[str, float]:
    """Oracle AUC of each modality and each combination that adds something, by `a+b`."""
    return {
        "+".join(chosen): oracle_auc(model, {name for m in chosen for name in MODALITIES[m]})
        for chosen in _modality_sets()
    }


def _modality_sets() -> Iterator[tuple[str, ...]]:
    for size in range(1, len(MODALITIES) + 1):
        for chosen in combinations(MODALITIES, size):
            # Radiomics holds the volume already.
            if not {"size", "radiomics"} <= set(chosen):
                yield chosen


def _distribution(
    model: OutcomeModel, names: Collection[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of the sum of some latents' contributions."""
    shares = dict(zip(LATENTS, model.coefficients, strict=True))
    spread = float(np.sqrt(sum(shares[name] ** 2 for name in names if name != "spatial")))
    nodes = spread * _NODES if spread else np.zeros(1)
    weights = np.exp(-0.5 * _NODES**2) if spread else np.ones(1)
    if "spatial" in names:
        nodes = np.concatenate([nodes - shares["spatial"], nodes + shares["spatial"]])
        weights = np.concatenate([weights, weights])
    return nodes, weights / weights.sum()
