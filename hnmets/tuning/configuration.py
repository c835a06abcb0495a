"""One way to set a fusion head, and how a trial comes to it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hnmets.models.head_parameters import HeadParameters
from hnmets.tuning.choosing import Param, is_among, number, one
from hnmets.tuning.space import HeadSpace, Numbers, label, names_of

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@dataclass(frozen=True, kw_only=True)
class HeadConfiguration:
    """Everything about a head that a search decides.

    Parameters
    ----------
    radiomics, embedding
        Recipes that it sees beside those that are always seen.
    correlation_limit, top, components
        See `SelectionParameters`; without radiomics or embedding they do nothing.
    """

    radiomics: tuple[str, ...]
    embedding: tuple[str, ...]
    correlation_limit: float
    top: int
    components: int
    head: HeadParameters


def configuration_of(
    trial: "BaseTrial", space: HeadSpace, base: HeadParameters
) -> HeadConfiguration:
    """Ask a trial for each setting, those first on which others depend.

    Parameters
    ----------
    space
        With the radiomics and embeddings of the store.
    base
        Settings that no search decides: batch size, epochs, patience, weighting of the classes.
    """
    radiomics = names_of(one(trial, "radiomics", tuple(map(label, space.radiomics or ((),)))))
    embedding = names_of(one(trial, "embedding", space.embeddings or ("none",)))
    limit, top = space.correlation_limit[0], space.top[0]
    if radiomics:
        limit = one(trial, "correlation_limit", space.correlation_limit)
        top = one(trial, "top", space.top)
    return HeadConfiguration(
        radiomics=radiomics,
        embedding=embedding,
        correlation_limit=limit,
        top=top,
        components=(
            one(trial, "components", space.components) if embedding else space.components[0]
        ),
        head=_head(trial, space, base),
    )


def _head(trial: "BaseTrial", space: HeadSpace, base: HeadParameters) -> HeadParameters:
    fusion = one(trial, "fusion", space.fusion)
    loss = one(trial, "loss", space.loss)
    hidden = one(trial, "hidden", tuple(map(_layers, space.hidden)))
    head = replace(
        base,
        fusion=fusion,
        loss=loss,
        hidden=tuple(int(units) for units in hidden.split("-")),
        dropout=number(trial, "dropout", space.dropout),
        learning_rate=number(trial, "learning_rate", space.learning_rate),
        weight_decay=number(trial, "weight_decay", space.weight_decay),
        sparsity=0.0,
    )
    if fusion == "concatenation":
        head = replace(head, sparsity=number(trial, "sparsity", space.sparsity))
    else:
        head = replace(head, projection=one(trial, "projection", space.projection))
    if loss == "focal":
        head = replace(head, focal_gamma=number(trial, "focal_gamma", space.focal_gamma))
    return head


def _layers(units: tuple[int, ...]) -> str:
    return "-".join(map(str, units))


def params_of(chosen: HeadConfiguration, space: HeadSpace) -> dict[str, Param]:
    """Return what a trial would have to choose to come to a configuration.

    Returns
    -------
    dict
        Empty where the space does not hold the configuration.
    """
    head, is_flat = chosen.head, chosen.head.fusion == "concatenation"
    wanted: dict[str, tuple[Param, Numbers | tuple[Param, ...], bool]] = {
        "radiomics": (label(chosen.radiomics), tuple(map(label, space.radiomics or ((),))), True),
        "embedding": (label(chosen.embedding), space.embeddings or ("none",), True),
        "correlation_limit": (
            chosen.correlation_limit,
            space.correlation_limit,
            bool(chosen.radiomics),
        ),
        "top": (chosen.top, space.top, bool(chosen.radiomics)),
        "components": (chosen.components, space.components, bool(chosen.embedding)),
        "fusion": (head.fusion, space.fusion, True),
        "projection": (head.projection, space.projection, not is_flat),
        "sparsity": (head.sparsity, space.sparsity, is_flat),
        "hidden": (_layers(head.hidden), tuple(map(_layers, space.hidden)), True),
        "dropout": (head.dropout, space.dropout, True),
        "learning_rate": (head.learning_rate, space.learning_rate, True),
        "weight_decay": (head.weight_decay, space.weight_decay, True),
        "loss": (head.loss, space.loss, True),
        "focal_gamma": (head.focal_gamma, space.focal_gamma, head.loss == "focal"),
    }
    asked = {name: (value, among) for name, (value, among, needed) in wanted.items() if needed}
    if not all(is_among(value, among) for value, among in asked.values()):
        return {}
    return {name: value for name, (value, _) in asked.items()}
