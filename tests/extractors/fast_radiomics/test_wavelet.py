import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from radiomics import imageoperations

from hnmets.extractors.fast_radiomics.wavelet import BANDS, wavelet_bands
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import HU

WAVELETS = ("coif1", "db2", "haar", "sym4")


def pyradiomics_bands(
    voxels: NDArray[np.generic], wavelet: str
) -> dict[str, NDArray[np.floating]]:
    image = sitk.GetImageFromArray(voxels)
    found = imageoperations.getWaveletImage(image, None, wavelet=wavelet)
    return {name.removeprefix("wavelet-"): sitk.GetArrayFromImage(band) for band, name, _ in found}


@given(
    shape=st.tuples(*[st.integers(1, 23)] * 3),
    wavelet=st.sampled_from(WAVELETS),
    kind=st.sampled_from(["soft tissue", "noise", "fractions"]),
    dtype=st.sampled_from([np.int16, np.float32, np.float64]),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=250, deadline=None, derandomize=True)
def test_every_box_has_pywavelets_bits(
    shape: tuple[int, int, int], wavelet: str, kind: str, dtype: type[np.generic], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    voxels = HU[kind](shape, rng).astype(dtype)
    box = oracle.some_box(shape, rng)
    theirs = pyradiomics_bands(voxels, wavelet)
    mine = wavelet_bands(voxels, box, wavelet=wavelet)
    assert tuple(mine) == tuple(theirs) == BANDS
    for band, image in theirs.items():
        oracle.assert_same_bits(mine[band], image[box])


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_part_of_a_large_image_has_the_bits_of_all_of_it(dtype: type[np.generic]) -> None:
    rng = np.random.default_rng(3)
    voxels = HU["noise"]((31, 60, 61), rng).astype(dtype)
    box = (slice(12, 19), slice(20, 41), slice(25, 33))
    for wavelet in WAVELETS:
        theirs = pyradiomics_bands(voxels, wavelet)
        for band, mine in wavelet_bands(voxels, box, wavelet=wavelet).items():
            oracle.assert_same_bits(mine, theirs[band][box])


def test_haar_halves_are_worked_out_by_hand() -> None:
    """Haar sums and differences of a voxel and the next, /√2 each; D and H are constant."""
    voxels = np.broadcast_to(np.array([1.0, 5.0, 2.0, 8.0]), (2, 2, 4)).copy()
    bands = wavelet_bands(voxels, (slice(0, 2), slice(0, 2), slice(0, 4)), wavelet="haar")
    # Along D and H equal voxels give √2 each; the last voxel meets the first. PyRadiomics names
    # W first, then H and D.
    sums, differences = np.array([6.0, 7, 10, 9]), np.array([-4.0, 3, -6, 7])
    np.testing.assert_allclose(bands["LLL"][0, 0], 2 * sums / np.sqrt(2), rtol=1e-14)
    np.testing.assert_allclose(np.abs(bands["HLL"][0, 0]), 2 * np.abs(differences) / np.sqrt(2))
    for band in ("LLH", "LHL", "HHH", "HHL"):
        np.testing.assert_array_equal(bands[band], 0)


def test_a_constant_has_no_detail() -> None:
    voxels = np.full((7, 8, 9), 100.0)
    bands = wavelet_bands(voxels, (slice(0, 7), slice(0, 8), slice(0, 9)), wavelet="coif1")
    # Each low pass multiplies by √2.
    np.testing.assert_allclose(bands.pop("LLL"), 100 * np.sqrt(2) ** 3, rtol=1e-12)
    for detail in bands.values():
        np.testing.assert_allclose(detail, 0, atol=1e-12 * 100)
