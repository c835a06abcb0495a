"""What the rungs of a ladder share is computed once, and is what each would have computed."""

import numpy as np

from hnmets.datasets.rows import TrainRows
from hnmets.selection.components import axes_of
from hnmets.selection.content import Content
from hnmets.selection.correlation import keepers_of
from hnmets.selection.forest import importance_of
from hnmets.selection.reference import SelectionParameters
from tests.selection.small import forget, learned, small_rows

CHAIN = SelectionParameters(trees=20, top=5, components=3).chain


def rungs() -> list[TrainRows]:
    """Radiomics alone, beside clinical columns, and beside everything."""
    rows = small_rows()
    kinds = [name.split(".")[0] for name in rows.modalities]
    seen: list[set[str]] = [{"radiomics"}, {"radiomics", "clinical"}, set(kinds)]
    return [rows.of_columns([n for n, kind in enumerate(kinds) if kind in s]) for s in seen]


def test_arrays_are_equal_by_type_shape_and_bytes() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert Content(array=array) == Content(array=np.asfortranarray(array))
    assert len({Content(array=array), Content(array=array.copy())}) == 1
    others = (array.T, array.reshape(3, 2), array.astype(np.float32), 2 * array)
    assert all(Content(array=array) != Content(array=other) for other in others)


def test_rungs_that_choose_from_the_same_columns_grow_one_forest() -> None:
    forget()
    for rows in rungs():
        CHAIN.fit(rows)
    for computed in (keepers_of.cache_info(), importance_of.cache_info()):
        assert (computed.misses, computed.hits) == (1, 2)


def test_rungs_with_the_same_embedding_compress_it_once() -> None:
    forget()
    rows = small_rows()
    deep = [n for n, name in enumerate(rows.modalities) if name == "embedding.both"]
    for seen in (deep, range(len(rows.columns))):
        CHAIN.fit(rows.of_columns(seen))
    assert (axes_of.cache_info().misses, axes_of.cache_info().hits) == (1, 1)


def test_what_is_remembered_is_what_would_have_been_computed() -> None:
    forget()
    remembered = [learned(CHAIN.fit(rows)) for rows in rungs()]
    for rows, one in zip(rungs(), remembered, strict=True):
        forget()
        assert learned(CHAIN.fit(rows)) == one


def test_another_outcome_is_another_choice() -> None:
    forget()
    rows = rungs()[0]
    CHAIN.fit(rows)
    CHAIN.fit(TrainRows(**{**vars(rows), "outcome": ~rows.outcome}))
    assert importance_of.cache_info().misses == 2
