"""Losses of every trial, epoch by epoch: one small file per trial, one table in the end."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from feature_store.atomic import write_atomic

_FOLDER = "curves"


class Point(NamedTuple):
    """Loss of the choosing rows of one inner fold after an epoch; both are counted from 1."""

    study: str
    trial: int
    fold: int
    epoch: int
    loss: float


def save_curves(
    folder: Path, study: str, trial: int, curves: Sequence[NDArray[np.float64]]
) -> None:
    """Keep the curves of a trial, one per inner fold."""
    place = folder / _FOLDER / study
    place.mkdir(parents=True, exist_ok=True)
    longest = max(map(len, curves), default=0)
    table = np.full((len(curves), longest), np.nan, dtype=np.float32)
    for row, curve in enumerate(curves):
        table[row, : len(curve)] = curve
    content = io.BytesIO()
    np.save(content, table, allow_pickle=False)
    write_atomic(place / f"{trial}.npy", content.getvalue())


def read_curves(folder: Path, studies: Sequence[str]) -> Iterator[Point]:
    """Yield every point of every curve."""
    for study in studies:
        files = (folder / _FOLDER / study).glob("*.npy")
        for file in sorted(files, key=lambda file: int(file.stem)):
            table = np.load(file, allow_pickle=False)
            for (fold, epoch), loss in np.ndenumerate(table):
                if not np.isnan(loss):
                    yield Point(study, int(file.stem), fold + 1, epoch + 1, float(loss))
