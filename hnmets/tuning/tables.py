"""Fit everything that stands before a head, once per inner fold and choice, for all trials."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.errors import FoldMismatchError, listed
from hnmets.datasets.fold_rows import FoldRows
from hnmets.datasets.rows import ChoosingRows, HeldOutRows, Rows, TrainRows
from hnmets.selection.chain import Chain, FittedChain
from hnmets.selection.forest import ForestChoice
from hnmets.selection.reference import SelectionParameters
from hnmets.selection.scaling import Scaling
from hnmets.selection.scope import in_scope
from hnmets.tuning.part import ALWAYS, Block, Part, embedding_key, radiomics_key
from hnmets.tuning.space import NONE, HeadSpace

AnyKind = TypeVar("AnyKind", bound=Rows)
_Three = tuple[TrainRows, ChoosingRows, HeldOutRows]


def part_of(
    fold: FoldRows,
    space: HeadSpace,
    *,
    always: Sequence[str],
    selection: SelectionParameters,
    never: Collection[str],
) -> Part:
    """Return what all configurations of a space learn from in one inner fold.

    Whatever is fitted is fitted on the fold's fitting rows. The choice of k columns is the first
    k of a longer one, and so are the components: so each is made once.

    Parameters
    ----------
    fold
        Inner fold of an outer training part.
    space
        With the radiomics and embeddings of the store.
    always
        Recipes that every configuration sees.
    selection
        What the search does not decide: trees, seed, families.
    never
        Cases that the outer fold holds out.

    Raises
    ------
    FoldMismatchError
        If one of these is among the rows.
    """
    rows: _Three = (fold.fitting(), fold.choosing(), fold.held_out)
    _refuse(never, rows)
    return Part(
        outcome=np.concatenate([each.outcome for each in rows]),
        sizes=(len(rows[0].case_ids), len(rows[1].case_ids), len(rows[2].case_ids)),
        blocks=dict(_blocks(rows, space, always, selection)),
    )


def _blocks(
    rows: _Three, space: HeadSpace, always: Sequence[str], selection: SelectionParameters
) -> Iterator[tuple[str, Block]]:
    largest = replace(selection, top=max(space.top), components=max(space.components))
    if always:
        yield ALWAYS, _block(rows, tuple(always), largest.chain)
    for names in filter(None, space.radiomics or ()):
        for limit in space.correlation_limit:
            chain = replace(largest, correlation_limit=limit).chain
            yield radiomics_key(names, limit), _block(rows, names, chain)
    for name in space.embeddings or ():
        if name != NONE:
            yield embedding_key(name), _block(rows, (name,), largest.chain)


def _block(rows: _Three, names: tuple[str, ...], chain: Chain) -> Block:
    """Return the columns of some recipes behind the steps of a chain, as a head takes them."""
    fitting = _seen(rows[0], names)
    fitted = chain.fit(fitting)
    learned = fitted.apply(fitting)
    others = (fitted.apply(_seen(each, names)) for each in rows[1:])
    # The head scales what it is given once more, whatever stood before it.
    scaling = Scaling().fit(learned)
    values = np.concatenate([scaling.apply(each).values for each in (learned, *others)])
    return Block(
        values=values.astype(np.float32),
        modalities=learned.modalities,
        rank=_ranks(fitted, learned.columns),
    )


def _seen(rows: AnyKind, names: tuple[str, ...]) -> AnyKind:
    return rows.of_columns(in_scope(rows, names))


def _ranks(fitted: FittedChain, columns: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the place of each column: by importance where a forest chose, else as it stands."""
    choice = next(step for step in fitted.steps if isinstance(step, ForestChoice))
    importance = dict(zip(choice.columns, choice.importance.tolist(), strict=True))
    found = np.array([importance.get(column, np.nan) for column in columns])
    if np.isnan(found).all():
        return np.arange(len(columns), dtype=np.int64)
    order = np.argsort(-found, kind="stable")
    ranks = np.empty(len(columns), dtype=np.int64)
    ranks[order] = np.arange(len(columns))
    return ranks


def _refuse(never: Collection[str], rows: _Three) -> None:
    """Refuse a search that would see a patient of the outer fold."""
    seen = sorted({case for each in rows for case in each.case_ids} & set(never))
    if seen:
        raise FoldMismatchError(
            f"a search would see cases that its outer fold holds out: {listed(seen)}"
        )
