"""The current rows of one recipe, in the form in which they are published and read."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from feature_store.current import Key
from feature_store.errors import SeveralPartsError
from feature_store.recipe import Recipe, Scalar
from feature_store.row import Row

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class RecipeTable:
    """Rows of one recipe, sorted by case and part.

    Parameters
    ----------
    table
        Columns case_id, part, input_digest, content_hash, values (fixed-size vectors with NaN
        where absent, or a struct of typed columns), reasons, flags, made_with.
    """

    recipe: Recipe
    table: "pa.Table"

    @cached_property
    def case_ids(self) -> list[str]:
        """Case of each row."""
        return self._column("case_id")

    def among(self, case_ids: Collection[str]) -> Self:
        """Return the rows of some cases."""
        import pyarrow as pa

        kept = pa.array([case_id in case_ids for case_id in self.case_ids])
        return replace(self, table=self.table.filter(kept))

    @cached_property
    def parts(self) -> list[int]:
        """Part of each row."""
        return self._column("part")

    @property
    def keys(self) -> list[Key]:
        """Fingerprint, case, part, input digest and content hash of each row."""
        digests, hashes = self._column("input_digest"), self._column("content_hash")
        fingerprint = self.recipe.fingerprint
        columns = zip(self.case_ids, self.parts, digests, hashes, strict=True)
        return [(fingerprint, *key) for key in columns]

    @cached_property
    def row_of_case(self) -> dict[str, int]:
        """Position of each case.

        Raises
        ------
        SeveralPartsError
            If a case has several rows.
        """
        self.check_one_row_per_case()
        return {case_id: row for row, case_id in enumerate(self.case_ids)}

    def check_one_row_per_case(self) -> None:
        """Raise a SeveralPartsError if a case has several rows."""
        for case_id, n_parts in Counter(self.case_ids).most_common(1):
            if n_parts > 1:
                raise SeveralPartsError(self.recipe.label, case_id, n_parts)

    @cached_property
    def vectors(self) -> NDArray[np.float64] | NDArray[np.float32]:
        """Values of a vector recipe without a copy, shape (rows, columns); NaN where absent."""
        flat = whole(self.table.column("values")).flatten()
        matrix: NDArray[np.float64] | NDArray[np.float32] = flat.to_numpy(zero_copy_only=True)
        return matrix.reshape(-1, len(self.recipe.columns))

    def typed(self, column: int) -> "pa.Array":
        """Values of one column of a typed recipe."""
        return whole(self.table.column("values")).field(column)

    def numeric(self) -> tuple[tuple[str, ...], NDArray[np.float64] | NDArray[np.float32]]:
        """Names and values of the columns that are numbers or truth values; NaN where absent."""
        if self.recipe.is_vector:
            return self.recipe.columns, self.vectors
        chosen = [i for i, kind in enumerate(self.recipe.column_types) if kind != "text"]
        matrix = np.empty((len(self.case_ids), len(chosen)))
        for position, column in enumerate(chosen):
            matrix[:, position] = self._as_float(column)
        return tuple(self.recipe.columns[i] for i in chosen), matrix

    def texts(self) -> dict[str, list[str | None]]:
        """Values of the text columns."""
        if self.recipe.is_vector:
            return {}
        kinds = enumerate(self.recipe.column_types)
        return {
            self.recipe.columns[i]: self.typed(i).to_pylist()
            for i, kind in kinds
            if kind == "text"
        }

    def frame(self) -> "pl.DataFrame":
        """Wide form: case_id, part, then the recipe's columns in their types; null if absent."""
        import polars as pl

        columns = self.recipe.columns
        if self.recipe.is_vector:
            values = pl.DataFrame(self.vectors, schema=list(columns), orient="row").fill_nan(None)
        else:
            values = pl.DataFrame(
                {name: pl.Series(self.typed(i)) for i, name in enumerate(columns)}
            )
        keys = {"case_id": self.case_ids, "part": self.parts}
        return pl.concat([pl.DataFrame(keys), values], how="horizontal")

    def rows(self, case_id: str) -> list[Row]:
        """Return the rows of a case, one per part."""
        positions = [row for row, case in enumerate(self.case_ids) if case == case_id]
        return [self.row(position) for position in positions]

    def row(self, position: int) -> Row:
        """Return one row."""
        names = ("input_digest", "reasons", "flags", "made_with")
        found = {name: self.table.column(name)[position].as_py() for name in names}
        return Row(
            case_id=self.case_ids[position],
            fingerprint=self.recipe.fingerprint,
            input_digest=found["input_digest"],
            values=self._values(position),
            part=self.parts[position],
            reasons=json.loads(found["reasons"]),
            flags=json.loads(found["flags"]),
            made_with=json.loads(found["made_with"]),
        )

    def _values(
        self, position: int
    ) -> NDArray[np.float64] | NDArray[np.float32] | Sequence[Scalar]:
        if self.recipe.is_vector:
            vector: NDArray[np.float64] | NDArray[np.float32] = self.vectors[position].copy()
            return vector
        return tuple(
            self.typed(column)[position].as_py() for column in range(len(self.recipe.columns))
        )

    def _as_float(self, column: int) -> NDArray[np.float64]:
        import pyarrow as pa

        values: NDArray[np.float64] = (
            self.typed(column).cast(pa.float64()).to_numpy(zero_copy_only=False)
        )
        return values

    def _column(self, name: str) -> list[Any]:  # Any: Arrow's types are known to the schema only
        values: list[Any] = self.table.column(name).to_pylist()
        return values


def whole(column: "pa.ChunkedArray") -> "pa.Array":
    """Return a column as one array; a column of one piece is not copied."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
