"""Members that see by networks of their own: what every network sees is told, each member its own.

The backbones of a ladder are trained fold by fold. In a design matrix their columns have one name,
`trained.swin.e000`, and other numbers in every fold; a patient is told all of them, by the label
of the network's recipe: `trained.swin@1b2c3d4e.e000`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from feature_store.recipe import Recipe
from hnmets.datasets.rows import Rows
from hnmets.extractors.trained_embedding import KIND

# By the name of a recipe, the label of a member's own network.
Networks = Mapping[str, str]


def told_name(recipe: Recipe) -> str:
    """Return what the columns of a recipe are told under."""
    return recipe.label if recipe.kind == KIND else recipe.name


def told_columns(columns: Sequence[str], members: Iterable[Networks]) -> tuple[str, ...]:
    """Return the columns that have to be told so that each member can see its own.

    Parameters
    ----------
    columns
        Of the design matrix that members take.

    Examples
    --------
    >>> networks = [{"trained.cnn": "trained.cnn@1"}, {"trained.cnn": "trained.cnn@2"}]
    >>> told_columns(["clinical.age", "trained.cnn.e0"], networks)
    ('clinical.age', 'trained.cnn@1.e0', 'trained.cnn@2.e0')
    """
    labels: dict[str, dict[str, None]] = {}
    for networks in members:
        for name, label in networks.items():
            labels.setdefault(name, {})[label] = None
    found: list[str] = []
    for name, group in groupby(columns, key=_owner):
        own = list(group)
        if name in labels:
            found += [label + c.removeprefix(name) for label in labels[name] for c in own]
        else:
            found += own
    return tuple(found)


def seen_columns(
    columns: Sequence[str], own: Networks, every: Collection[str]
) -> Iterator[tuple[int, str]]:
    """Return the place and the name of each column that a member takes.

    Parameters
    ----------
    columns
        That were told.
    every
        Labels of all members' networks.
    """
    name_of = {label: name for name, label in own.items()}
    for place, column in enumerate(columns):
        owner = _owner(column)
        if owner in name_of:
            yield place, name_of[owner] + column.removeprefix(owner)
        elif owner not in every:
            yield place, column


def seen_by(rows: Rows, own: Networks, every: Collection[str]) -> Rows:
    """Return what a member takes of rows; see `seen_columns`."""
    if not every:
        return rows
    name_of = {label: name for name, label in own.items()}
    places, names = zip(*seen_columns(rows.columns, own, every), strict=True)
    modalities = [rows.modalities[place] for place in places]
    return rows.with_columns(
        names,
        modalities=tuple(name_of.get(each, each) for each in modalities),
        values=rows.values[:, list(places)],
    )


def _owner(column: str) -> str:
    """Return the recipe of a column, where that is a network's."""
    return column.rpartition(".")[0]
