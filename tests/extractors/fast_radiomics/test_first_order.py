from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.extractors.fast_radiomics.first_order import FEATURES, Intensities


def of(values: list[float], *, shift: float = 0.0, levels: tuple[int, ...] = (1,)) -> Intensities:
    return Intensities(
        values=np.array(values, dtype=np.float64),
        shift=shift,
        voxel_volume_mm3=2.0,
        level_counts=np.array(levels),
    )


def test_five_voxels_give_the_features_by_hand() -> None:
    v = of([0, 10, 20, 30, 90], shift=10.0, levels=(2, 2, 1))
    expected = {
        "Mean": 30.0,
        "Median": 20.0,
        "Minimum": 0.0,
        "Maximum": 90.0,
        "Range": 90.0,
        "10Percentile": 4.0,
        "90Percentile": 66.0,
        "InterquartileRange": 20.0,
        "Energy": 100 + 400 + 900 + 1600 + 10_000,
        "TotalEnergy": 26_000.0,
        "RootMeanSquared": np.sqrt(2600),
        "MeanAbsoluteDeviation": (30 + 20 + 10 + 0 + 60) / 5,
        "RobustMeanAbsoluteDeviation": (10 + 0 + 10) / 3,  # 10, 20, 30
        "Variance": (900 + 400 + 100 + 3600) / 5,
        "Skewness": (-27_000 - 8000 - 1000 + 216_000) / 5 / 1000**1.5,
        "Kurtosis": (810_000 + 160_000 + 10_000 + 12_960_000) / 5 / 1000**2,
        "Uniformity": 0.16 + 0.16 + 0.04,
        "Entropy": -(0.8 * np.log2(0.4) + 0.2 * np.log2(0.2)),
    }
    assert expected.keys() == FEATURES.keys()
    for name, value in expected.items():
        assert FEATURES[name](v) == pytest.approx(value, rel=1e-12), name


def test_a_flat_region_has_no_spread() -> None:
    v = of([7.0] * 4)
    for name in ("Variance", "Skewness", "Kurtosis", "Entropy", "Range", "InterquartileRange"):
        assert FEATURES[name](v) == pytest.approx(0, abs=1e-15), name
    assert FEATURES["Uniformity"](v) == 1.0


@given(st.lists(st.floats(-3000, 3000), min_size=1, max_size=40), st.integers(0, 100))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_percentiles_have_numpys_bits(values: list[float], percent: int) -> None:
    assert of(values).percentile(percent) == np.percentile(np.array(values), percent)


@pytest.mark.parametrize(
    ("name", "numpys"), [("Median", np.median), ("Mean", np.mean), ("Variance", np.var)]
)
def test_plain_statistics_have_numpys_bits(name: str, numpys: Callable[..., np.float64]) -> None:
    rng = np.random.default_rng(2)
    for n in (1, 2, 7, 8, 129, 1000):
        values = rng.normal(0, 300, n)
        assert FEATURES[name](of(values.tolist())) == numpys(values)


def test_two_voxels_have_none_between_their_deciles() -> None:
    assert np.isnan(FEATURES["RobustMeanAbsoluteDeviation"](of([10, 20])))
