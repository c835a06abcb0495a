import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from radiomics import imageoperations

from hnmets.extractors.fast_radiomics.discretisation import Levels, bin_edges, discretised
from tests.extractors.fast_radiomics import oracle


def levels_of(
    values: NDArray[np.generic], *, width: float = 25.0, count: int | None = None
) -> NDArray[np.int64]:
    found: Levels = discretised(values, bin_edges(values, width=width, count=count))
    return found.present[found.rank - 1]


def test_bins_start_at_a_multiple_of_the_width_and_hold_their_lower_edge() -> None:
    # Edges are -50, -25, 0, 25, 50, as 25 × whole numbers from below -26; -25 and 0 are edges.
    values = np.array([-26, -25, -1, 0, 24, 25], np.int16)
    assert bin_edges(values, width=25.0, count=None).tolist() == [-50, -25, 0, 25, 50]
    assert levels_of(values).tolist() == [1, 2, 2, 3, 3, 4]


def test_bins_of_a_count_divide_the_range_and_the_last_holds_the_highest_voxel() -> None:
    values = np.array([0, 9, 10, 19, 20, 40], np.int16)
    assert bin_edges(values, width=25.0, count=4).tolist() == [0, 10, 20, 30, 41]
    assert levels_of(values, count=4).tolist() == [1, 1, 2, 2, 3, 4]


def test_a_flat_region_on_an_edge_is_one_level() -> None:
    values = np.full(5, 50, np.int16)
    assert levels_of(values).tolist() == [1] * 5


def test_levels_that_do_not_occur_are_skipped_and_the_highest_is_kept() -> None:
    values = np.array([0, 500, 500, 100], np.int16)
    found = discretised(values, bin_edges(values, width=25.0, count=None))
    assert found.present.tolist() == [1, 5, 21]
    assert found.rank.tolist() == [1, 3, 3, 2]
    assert found.counts.tolist() == [1, 1, 2]
    assert found.highest == 21


def test_a_voxel_below_the_first_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="below the first bin edge"):
        discretised(np.array([0.0, 30.0]), np.array([10.0, 20.0, 40.0]))


def test_more_levels_than_two_bytes_count_are_refused() -> None:
    values = np.arange(65_535, dtype=np.float64)
    with pytest.raises(ValueError, match="65535 grey levels"):
        discretised(values, bin_edges(values, width=1.0, count=None))


hu = st.integers(-3000, 3000)
# On edges, half-way between them, and one step of single precision beside them.
edgy = st.builds(
    lambda k, width, way: float(np.nextafter(np.float32(k * width), np.float32(way))),
    st.integers(-40, 40),
    st.sampled_from([25.0, 0.1, 3.3, 0.5]),
    st.sampled_from([-np.inf, np.inf]),
)
on_edges = st.builds(
    lambda k, width: k * width, st.integers(-40, 40), st.sampled_from([25.0, 0.1, 3.3])
)
numbers = st.one_of(
    st.lists(hu.map(float), min_size=1, max_size=60),
    st.lists(st.one_of(edgy, on_edges, st.floats(-200, 200)), min_size=1, max_size=60),
)


@given(
    numbers=numbers,
    dtype=st.sampled_from([np.int16, np.float32, np.float64]),
    width=st.sampled_from([25.0, 0.1, 3.3]),
    count=st.sampled_from([None, None, 1, 2, 16, 64]),
)
@settings(max_examples=500, deadline=None, derandomize=True)
def test_every_voxel_has_pyradiomics_level(
    numbers: list[float], dtype: type[np.generic], width: float, count: int | None
) -> None:
    values = np.array(numbers).astype(dtype)
    everywhere = np.ones(values.shape, np.bool_)
    try:
        theirs, edges = imageoperations.binImage(
            values, everywhere, binWidth=width, binCount=count
        )
    except ValueError as refused:  # a range too narrow to be cut into that many bins
        with pytest.raises(ValueError, match=re.escape(str(refused))):
            bin_edges(values, width=width, count=count)
        return
    mine = bin_edges(values, width=width, count=count)
    oracle.assert_same_bits(mine, np.asarray(edges))
    if theirs.min() > 0:
        np.testing.assert_array_equal(levels_of(values, width=width, count=count), theirs)
    else:  # rounding put the first edge above the lowest voxel: PyRadiomics has to decide
        with pytest.raises(ValueError, match="below the first bin edge"):
            discretised(values, mine)


@given(st.lists(hu, min_size=1, max_size=50), st.integers(-20, 20))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_an_offset_of_whole_bins_changes_no_level(numbers: list[int], bins: int) -> None:
    values = np.array(numbers, np.int16)
    moved = (values + 25 * bins).astype(np.int16)
    np.testing.assert_array_equal(levels_of(moved), levels_of(values))
