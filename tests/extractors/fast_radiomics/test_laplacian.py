import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from radiomics import imageoperations

from hnmets.extractors.fast_radiomics.laplacian import fits, laplacian_of_gaussian, reach
from hnmets.extractors.pyradiomics_engine import to_sitk
from hnmets.imaging.box import Box, within
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import HU, Triple, volume

SIGMAS_MM = (0.5, 1.0, 2.0, 3.0, 5.0)


def pyradiomics_images(
    voxels: NDArray[np.generic], spacing_mm: Triple, sigmas_mm: tuple[float, ...]
) -> dict[str, NDArray[np.generic]]:
    image = to_sitk(voxels, volume(voxels, spacing_mm).geometry)
    found = imageoperations.getLoGImage(image, None, sigma=list(sigmas_mm))
    return {name: sitk.GetArrayFromImage(filtered) for filtered, name, _ in found}


@given(
    shape=st.tuples(*[st.integers(4, 24)] * 3),
    spacing_mm=st.one_of(
        st.sampled_from([(1.0, 1.0, 1.0), (3.27, 0.9765625, 0.9765625)]),
        st.tuples(*[st.floats(0.5, 4.0)] * 3),
    ),
    sigma_mm=st.one_of(st.sampled_from(SIGMAS_MM), st.floats(0.4, 6.0)),
    kind=st.sampled_from(["soft tissue", "noise", "constant", "fractions"]),
    dtype=st.sampled_from([np.int16, np.float32, np.float64]),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_every_box_has_itks_bits(  # noqa: PLR0917  # hypothesis hands them over by name
    shape: tuple[int, int, int],
    spacing_mm: Triple,
    sigma_mm: float,
    kind: str,
    dtype: type[np.generic],
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    voxels = HU[kind](shape, rng).astype(dtype)
    box = oracle.some_box(shape, rng)
    theirs = pyradiomics_images(voxels, spacing_mm, (sigma_mm,))
    assert fits(shape, spacing_mm, sigma_mm) == bool(theirs)
    for image in theirs.values():
        mine = laplacian_of_gaussian(voxels, box, sigma_mm=sigma_mm, spacing_mm=spacing_mm)
        oracle.assert_same_bits(mine, image[box].astype(np.float32))
        np.testing.assert_array_equal(mine, image[box])  # nothing was lost in float32


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "sigma_mm", "expected"),
    [
        ((3, 30, 30), (1.0, 1.0, 1.0), 0.5, False),  # four voxels is what the recursion needs
        ((4, 30, 30), (1.0, 1.0, 1.0), 3.0, True),  # ceil(3) + 1
        ((4, 30, 30), (1.0, 1.0, 1.0), 3.1, False),
        ((4, 30, 30), (2.0, 1.0, 1.0), 6.0, True),
        ((30, 30, 5), (1.0, 1.0, 0.5), 2.0, True),
        ((30, 30, 4), (1.0, 1.0, 0.5), 2.0, False),
    ],
)
def test_a_box_holds_the_width_of_the_filter_or_none_is_applied(
    shape: tuple[int, int, int], spacing_mm: Triple, sigma_mm: float, expected: bool
) -> None:
    theirs = pyradiomics_images(np.zeros(shape, np.int16), spacing_mm, (sigma_mm,))
    assert fits(shape, spacing_mm, sigma_mm) == bool(theirs) == expected


def test_the_filter_of_a_constant_is_nothing() -> None:
    voxels = np.full((12, 13, 14), 1000.0)
    box = (slice(0, 12), slice(0, 13), slice(0, 14))
    found = laplacian_of_gaussian(voxels, box, sigma_mm=2.0, spacing_mm=(1.0, 1.0, 1.0))
    np.testing.assert_allclose(found, 0, atol=1e-3)  # 1e-6 of it: single precision


def test_the_centre_of_a_gaussian_blob_has_the_value_of_theory() -> None:
    """A blob exp(−r²/2s²), filtered with σ: −3σ² s³ / (s² + σ²)^2.5, scale-normalised."""
    at = np.arange(61) - 30.0
    d, h, w = np.meshgrid(at, at, at, indexing="ij")
    s, sigma = 4.0, 3.0
    blob = 1000 * np.exp(-(d**2 + h**2 + w**2) / (2 * s**2))
    box = (slice(30, 31),) * 3
    [[[found]]] = laplacian_of_gaussian(blob, box, sigma_mm=sigma, spacing_mm=(1.0, 1.0, 1.0))
    expected = -3 * 1000 * sigma**2 * s**3 / (s**2 + sigma**2) ** 2.5
    assert found == pytest.approx(expected, rel=1e-2)  # the recursion approximates


@pytest.mark.parametrize("sigma_mm", [1.0, 3.0])
def test_what_lies_beyond_sixteen_sigma_does_not_count(sigma_mm: float) -> None:
    shape, spacing_mm = (40, 110, 130), (2.0, 1.0, 1.0)
    box: Box = (slice(18, 21), slice(50, 55), slice(60, 65))
    voxels = HU["noise"](shape, np.random.default_rng(5))
    window = reach(box, shape, spacing_mm, sigma_mm)
    assert window[0] == slice(max(18 - int(8 * sigma_mm), 0), min(21 + int(8 * sigma_mm), 40))
    assert window[2] == slice(60 - int(16 * sigma_mm), 65 + int(16 * sigma_mm))
    kwargs = {"sigma_mm": sigma_mm, "spacing_mm": spacing_mm}
    whole = laplacian_of_gaussian(voxels, box, **kwargs)
    part = laplacian_of_gaussian(voxels[window], within(box, window), **kwargs)
    np.testing.assert_allclose(part, whole, rtol=0, atol=1e-6 * np.abs(whole).max())
