import numpy as np
import pytest

from hnmets.explanation.shares import shares
from tests.builders_volumes import ball

SHAPE = (40, 40, 40)
TUMOUR = ball(SHAPE, centre=(20, 20, 20), radius_mm=5)


def test_a_uniform_map_is_divided_like_the_voxels() -> None:
    found = shares(np.ones(SHAPE), tumour=TUMOUR, spacing_mm=1.0)
    assert found is not None
    assert found.inside == pytest.approx(TUMOUR.sum() / TUMOUR.size)
    assert found.inside + found.rim + found.outside == pytest.approx(1)
    assert found.outside == pytest.approx(found.voxels_outside)
    # a ball of 15 mm without one of 5 mm, in a cube of 40 mm; distances are between centres
    assert found.rim == pytest.approx(4 / 3 * np.pi * (15**3 - 5**3) / 40**3, rel=0.05)


def test_signs_do_not_cancel() -> None:
    attribution = np.zeros(SHAPE)
    attribution[20, 20, 20], attribution[20, 20, 21] = 1.0, -1.0
    attribution[20, 20, 30] = 1.0  # 5 mm off the surface
    attribution[0, 0, 0] = -1.0
    found = shares(attribution, tumour=TUMOUR, spacing_mm=1.0)
    assert found is not None
    assert (found.inside, found.rim, found.outside) == (0.5, 0.25, 0.25)
    assert not found.flagged


def test_the_rim_is_a_centimetre_whatever_the_voxels_are() -> None:
    attribution = np.zeros(SHAPE)
    attribution[20, 20, 31] = 1.0  # 6 voxels off the surface
    assert shares(attribution, tumour=TUMOUR, spacing_mm=1.0).rim == 1  # type: ignore[union-attr] - it has weight
    outside = shares(attribution, tumour=TUMOUR, spacing_mm=2.0)
    assert outside is not None
    assert (outside.rim, outside.outside) == (0, 1)


def test_more_than_half_outside_raises_the_flag() -> None:
    attribution = np.zeros(SHAPE)
    attribution[20, 20, 20] = 1.0
    attribution[0, 0, 0] = 1.0
    even = shares(attribution, tumour=TUMOUR, spacing_mm=1.0)
    attribution[0, 0, 1] = 0.01
    more = shares(attribution, tumour=TUMOUR, spacing_mm=1.0)
    assert even is not None
    assert more is not None
    assert (even.flagged, more.flagged) == (False, True)


def test_a_map_of_nothing_has_no_shares() -> None:
    assert shares(np.zeros(SHAPE), tumour=TUMOUR, spacing_mm=1.0) is None
