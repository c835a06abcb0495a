"""Fitted candidates without the columns that their steps dropped: what has to be measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hnmets.models.candidate import FittedCandidate
from hnmets.selection.base import Fitted
from hnmets.selection.chain import FittedChain
from hnmets.selection.components import Compressed
from hnmets.selection.correlation import Uncorrelated
from hnmets.selection.forest import ForestChoice
from hnmets.selection.imputation import FittedImputation
from hnmets.selection.kept import KeptColumns
from hnmets.selection.scaling import FittedScaling

Places = NDArray[np.intp]
# What is left of a step, and the places among its own columns that it still needs.
Narrowed = tuple[tuple[Fitted, ...], Places]


def pruned(candidates: Sequence[FittedCandidate]) -> tuple[FittedCandidate, ...]:
    """Return candidates that give the same risks from fewer columns.

    A member of a ladder sees thousands of radiomics columns and keeps a few dozen. The others
    were needed to choose; to ask the member, nobody has to measure them.

    Parameters
    ----------
    candidates
        Fitted on rows of the same columns.

    Returns
    -------
    tuple of FittedCandidate
        All on the same columns: those that some of them needs, in their order.
    """
    narrowed = [_narrowed_chain(each.chain) for each in candidates]
    of_rows = [
        each.view.places[inputs] for each, (_, inputs) in zip(candidates, narrowed, strict=True)
    ]
    needed = np.unique(np.concatenate(of_rows)) if of_rows else np.empty(0, dtype=np.intp)
    return tuple(
        replace(
            each,
            view=KeptColumns(
                columns=tuple(each.view.columns[place] for place in needed),
                places=np.searchsorted(needed, places),
            ),
            chain=chain,
        )
        for each, (chain, _), places in zip(candidates, narrowed, of_rows, strict=True)
    )


def _narrowed_chain(chain: FittedChain) -> tuple[FittedChain, Places]:
    """Go from the last step to the first, each asking for what those behind it need."""
    steps: tuple[Fitted, ...] = ()
    wanted = np.arange(len(chain.columns))
    for step in reversed(chain.steps):
        left, wanted = _NARROW[type(step)](step, wanted)
        steps = (*left, *steps)
    return FittedChain(steps=steps, columns=chain.columns), wanted


def _names(columns: Sequence[str], places: Places) -> tuple[str, ...]:
    return tuple(columns[place] for place in places)


def _kept(step: KeptColumns, wanted: Places) -> Narrowed:
    """Nothing is left of a choice where only what was chosen comes in."""
    return (), step.places[wanted]


def _scaling(step: FittedScaling, wanted: Places) -> Narrowed:
    narrow = FittedScaling(
        columns=_names(step.columns, wanted), mean=step.mean[wanted], spread=step.spread[wanted]
    )
    return (narrow,), wanted


def _imputation(step: FittedImputation, wanted: Places) -> Narrowed:
    kept = wanted[wanted < len(step.places)]
    marked = [step.indicators[n] for n in wanted[wanted >= len(step.places)] - len(step.places)]
    places = step.places[kept]
    inputs = np.unique(np.concatenate([places, *(each.places for each in marked)]))
    narrow = FittedImputation(
        columns=_names(step.columns, inputs),
        places=np.searchsorted(inputs, places),
        medians=step.medians[kept],
        indicators=tuple(
            replace(each, places=np.searchsorted(inputs, each.places)) for each in marked
        ),
    )
    return (narrow,), inputs


def _compressed(step: Compressed, wanted: Places) -> Narrowed:
    kept = wanted[wanted < len(step.places)]
    behind = wanted[wanted >= len(step.places)] - len(step.places)
    owner = np.repeat(np.arange(len(step.projections)), [len(p.axes) for p in step.projections])
    used = np.unique(owner[behind])
    projections = [step.projections[n] for n in used]
    inputs = np.unique(np.concatenate([step.places[kept], *(p.places for p in projections)]))
    narrow = Compressed(
        columns=_names(step.columns, inputs),
        places=np.searchsorted(inputs, step.places[kept]),
        projections=tuple(
            replace(each, places=np.searchsorted(inputs, each.places)) for each in projections
        ),
    )
    made = np.flatnonzero(np.isin(owner, used))
    if len(made) == len(behind):
        return (narrow,), inputs
    # A step behind has dropped single components; they come of one product all the same.
    names = (*_names(step.columns, step.places[kept]), *(n for p in projections for n in p.names))
    chosen = np.concatenate([np.arange(len(kept)), len(kept) + np.searchsorted(made, behind)])
    return (narrow, KeptColumns(columns=names, places=chosen)), inputs


def _chain(step: FittedChain, wanted: Places) -> Narrowed:
    """Narrow the last step of an inner chain to what is wanted of it."""
    chosen = KeptColumns(columns=step.columns, places=wanted)
    outer = FittedChain(steps=(*step.steps, chosen), columns=chosen.names)
    narrow, inputs = _narrowed_chain(outer)
    return narrow.steps, inputs


# Each function takes the step under whose type it stands.
_NARROW: Mapping[type, Callable[..., Narrowed]] = {
    KeptColumns: _kept,
    Uncorrelated: _kept,
    ForestChoice: _kept,
    FittedScaling: _scaling,
    FittedImputation: _imputation,
    Compressed: _compressed,
    FittedChain: _chain,
}
