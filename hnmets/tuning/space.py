"""What a search of fusion heads may choose, as the study file declares it; loads no library."""

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from hnmets.models.head_parameters import Fusion, HeadParameters, Loss

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnySpace = TypeVar("AnySpace")

NONE = "none"
BETWEEN = " + "


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Parameters
    ----------
    log
        Whether each tenfold step is as likely as the next.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Check that there is anything to choose."""
        if self.low >= self.high:
            raise ValueError(f"`low` {self.low} is not below `high` {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"`low` {self.low} has no logarithm")


# One of these numbers, or any of a range.
Numbers = Range | tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class HeadSpace:
    """Settings among which a search of fusion heads chooses; a list of one is a decision.

    Clinical variables, size and other tables are always seen. What depends on something that was
    not chosen is not asked: the number of radiomics features without radiomics, the compression
    without an embedding, the projection where features are put side by side, gamma without the
    focal loss.

    Parameters
    ----------
    radiomics
        Sets of radiomics recipes, each a list of names, the empty list for none. By default
        each recipe of the store, and the tumour with each ring.
    embeddings
        Names of embeddings, `none` for none. By default `none` and each untrained embedding of
        the store; a trained one has seen patients whom an inner fold would score.
    correlation_limit, top, components
        See `SelectionParameters`.
    fusion, projection, hidden, dropout, learning_rate, weight_decay, loss, focal_gamma
        See `HeadParameters`.
    sparsity
        See `HeadParameters`; asked where features are put side by side.
    """

    radiomics: tuple[tuple[str, ...], ...] | None = None
    embeddings: tuple[str, ...] | None = None
    correlation_limit: tuple[float, ...] = (0.80, 0.90, 0.95)
    top: tuple[int, ...] = (12, 24, 36, 64)
    components: tuple[int, ...] = (8, 16, 32, 64)
    fusion: tuple[Fusion, ...] = ("concatenation", "gated", "attention")
    projection: tuple[int, ...] = (16, 32, 64)
    hidden: tuple[tuple[int, ...], ...] = ((32,), (64,), (64, 32), (128, 32))
    dropout: Numbers = field(default_factory=lambda: Range(low=0.0, high=0.7))
    learning_rate: Numbers = field(default_factory=lambda: Range(low=3e-4, high=1e-2, log=True))
    weight_decay: Numbers = field(default_factory=lambda: Range(low=1e-4, high=1.0, log=True))
    sparsity: Numbers = field(default_factory=lambda: Range(low=0.0, high=3.5))
    loss: tuple[Loss, ...] = ("cross-entropy", "focal")
    focal_gamma: Numbers = field(default_factory=lambda: Range(low=0.5, high=4.0))

    def __post_init__(self) -> None:
        """Check that every setting has a choice, and that the choices make sense."""
        for each in fields(self):
            if getattr(self, each.name) == ():
                raise ValueError(f"`{each.name}` has nothing to choose from")
        if not all(0 < limit <= 1 for limit in self.correlation_limit):
            raise ValueError("`correlation_limit` lies above 0, and is at most 1")
        if min(*self.top, *self.components) < 1:
            raise ValueError("`top` and `components` are at least 1")
        require_possible(self, HeadParameters())


def require_possible(space: object, parameters: "DataclassInstance") -> None:
    """Check that parameters can take each end of each of their settings in a space.

    Raises
    ------
    ValueError
        If they cannot.
    """
    for name in [each.name for each in fields(parameters) if hasattr(space, each.name)]:
        choices = getattr(space, name)
        ends = (choices.low, choices.high) if isinstance(choices, Range) else choices
        for value in ends:
            replace(parameters, **{name: value})


def label(names: tuple[str, ...]) -> str:
    """Return one name for a set of recipes.

    Examples
    --------
    >>> label(("radiomics.tumour", "radiomics.ring")), label(())
    ('radiomics.tumour + radiomics.ring', 'none')
    """
    return BETWEEN.join(names) or NONE


def names_of(chosen: str) -> tuple[str, ...]:
    """Return the recipes of a label.

    Examples
    --------
    >>> names_of("radiomics.tumour + radiomics.ring"), names_of("none")
    (('radiomics.tumour', 'radiomics.ring'), ())
    """
    return () if chosen == NONE else tuple(chosen.split(BETWEEN))


def from_json(kind: type[AnySpace], content: dict[str, Any]) -> AnySpace:  # Any: JSON
    """Return the space of a JSON object."""
    return kind(**nested_tuples(content))


def nested_tuples(content: dict[str, Any]) -> dict[str, Any]:  # Any: what JSON can hold
    """Return a JSON object with tuples for its lists, and ranges for the objects in it."""
    return {name: _value(value) for name, value in content.items()}


def _value(value: Any) -> Any:  # noqa: ANN401 - a list, an object or a text of JSON
    if isinstance(value, dict):
        return Range(**value)
    return tuple(map(_value, value)) if isinstance(value, list | tuple) else value
