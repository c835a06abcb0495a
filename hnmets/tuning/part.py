"""What heads learn from in one inner fold: arrays in one file, read with numpy alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_member import HeadRows
from hnmets.tuning.arrays import write_arrays
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.space import label

ALWAYS = "always"


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Columns of all rows of a part, scaled by its fitting rows.

    Parameters
    ----------
    values
        float32, shape (rows, columns).
    modalities
        Recipe of each column.
    rank
        int64, shape (columns,): a choice of k columns takes those of a rank below k.
    """

    values: NDArray[np.float32]
    modalities: tuple[str, ...]
    rank: NDArray[np.int64]

    def first(self, k: int) -> "Block":
        """Return the k columns of the lowest rank, in the order in which they stand."""
        kept = np.flatnonzero(self.rank < k)
        return Block(
            values=self.values[:, kept],
            modalities=tuple(self.modalities[place] for place in kept),
            rank=self.rank[kept],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """The rows of a part as one configuration sees them.

    Parameters
    ----------
    widths
        Columns of each modality.
    """

    fitting: HeadRows
    choosing: HeadRows
    scored: HeadRows
    widths: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One inner fold.

    Parameters
    ----------
    outcome
        bool, shape (rows,).
    sizes
        Rows to fit on, to stop by and to score, in this order.
    blocks
        By `key_of`.
    """

    outcome: NDArray[np.bool_]
    sizes: tuple[int, int, int]
    blocks: Mapping[str, Block]
    _tables: dict[tuple[object, ...], Table] = field(default_factory=dict)

    def table(self, chosen: HeadConfiguration) -> Table:
        """Return the rows that a configuration sees; equal choices share their memory."""
        key = (
            chosen.radiomics,
            chosen.correlation_limit,
            chosen.top,
            chosen.embedding,
            chosen.components,
        )
        if key not in self._tables:
            self._tables[key] = self._made(chosen)
        return self._tables[key]

    def _made(self, chosen: HeadConfiguration) -> Table:
        seen = [self.blocks[ALWAYS]] if ALWAYS in self.blocks else []
        if chosen.radiomics:
            key = radiomics_key(chosen.radiomics, chosen.correlation_limit)
            seen.append(self.blocks[key].first(chosen.top))
        if chosen.embedding:
            key = embedding_key(label(chosen.embedding))
            seen.append(self.blocks[key].first(chosen.components))
        modalities = [name for block in seen for name in block.modalities]
        order = np.argsort([modalities.index(name) for name in modalities], kind="stable")
        values = np.hstack([block.values for block in seen])[:, order]
        fitted, stopped, _ = np.cumsum(self.sizes).tolist()
        rows = [slice(None, fitted), slice(fitted, stopped), slice(stopped, None)]
        fitting, choosing, scored = (
            HeadRows(inputs=np.ascontiguousarray(values[own]), outcome=self.outcome[own])
            for own in rows
        )
        return Table(
            fitting=fitting,
            choosing=choosing,
            scored=scored,
            widths=tuple(modalities.count(name) for name in dict.fromkeys(modalities)),
        )


def radiomics_key(names: tuple[str, ...], limit: float) -> str:
    """Return the key of the radiomics of some recipes, filtered at a limit."""
    return f"{label(names)} below {limit:g}"


def embedding_key(name: str) -> str:
    """Return the key of the components of an embedding."""
    return f"components of {name}"


def save_part(path: Path, part: Part) -> None:
    """Write a part; nothing in the file names a patient."""
    arrays: dict[str, NDArray[np.generic]] = {
        "outcome": part.outcome,
        "sizes": np.array(part.sizes),
        "keys": np.array(list(part.blocks)),
    }
    for place, block in enumerate(part.blocks.values()):
        arrays[f"values {place}"] = block.values
        arrays[f"modalities {place}"] = np.array(block.modalities)
        arrays[f"rank {place}"] = block.rank
    write_arrays(path, arrays)


def load_part(path: Path) -> Part:
    """Read what `save_part` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        fitted, stopped, scored = arrays["sizes"].tolist()
        return Part(
            outcome=arrays["outcome"],
            sizes=(fitted, stopped, scored),
            blocks={
                str(key): Block(
                    values=arrays[f"values {place}"],
                    modalities=tuple(arrays[f"modalities {place}"].tolist()),
                    rank=arrays[f"rank {place}"],
                )
                for place, key in enumerate(arrays["keys"].tolist())
            },
        )
