import numpy as np
import pytest

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry
from hnmets.extractors.fast_radiomics.lattice import cropped
from hnmets.extractors.fast_radiomics.memory import region_bytes, require_levels, require_room

# 100 × 200 × 200 voxels of 1 mm: 4000 cc when full.
GEOMETRY = Geometry(shape=(100, 200, 200), spacing_mm=(1.0, 1.0, 1.0))
LATTICE = cropped((slice(0, 100), slice(0, 200), slice(0, 200)), GEOMETRY, pad_voxels=0)


def test_a_region_of_700_cc_fits_into_a_worker() -> None:
    side = slice(0, 110)  # a ball of 700 cc is 110 mm across
    box = cropped((side,) * 3, Geometry(shape=(110,) * 3, spacing_mm=(1.0,) * 3), pad_voxels=10)
    require_room(box, 700_000, ct_bytes=2 * 512 * 512 * 300, limit_gib=1.5)


def test_a_region_that_does_not_fit_is_refused_with_its_size() -> None:
    needed = r"4000 cc in a box of 100 × 200 × 200 voxels needs about \d\.\d GiB, the limit is 0.5"
    with pytest.raises(CaseError, match=needed) as caught:
        require_room(LATTICE, 4_000_000, ct_bytes=0, limit_gib=0.5)
    assert caught.value.code is Code.MEMORY


def test_no_limit_refuses_nothing() -> None:
    require_room(LATTICE, 4_000_000, ct_bytes=0, limit_gib=np.inf)


def test_memory_grows_with_the_box() -> None:
    half = cropped((slice(0, 50), slice(0, 200), slice(0, 200)), GEOMETRY, pad_voxels=0)
    assert region_bytes(LATTICE) == 2 * region_bytes(half)


def test_too_many_grey_levels_are_refused_with_their_number() -> None:
    require_levels(3000, limit_gib=3.0)  # 13 · 3000² · 16 bytes = 1.74 GiB
    with pytest.raises(CaseError, match=r"5000 grey levels need matrices of about 5\.2 GiB"):
        require_levels(5000, limit_gib=3.0)
