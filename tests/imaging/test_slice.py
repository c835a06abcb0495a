import numpy as np

from hnmets.domain.case import ImagedCase
from hnmets.domain.geometry import Geometry, Volume
from hnmets.domain.region import Region
from hnmets.imaging.slice import region_slice


def test_the_largest_slice_is_shown_with_fifteen_millimetres_around() -> None:
    mask = np.zeros((5, 80, 80), bool)
    mask[1, 40:42, 40:42] = True
    mask[3, 38:44, 30:50] = True
    hu = np.arange(5 * 80 * 80, dtype=np.int16).reshape(5, 80, 80)
    case = ImagedCase(
        case_id="P1",
        ct=Volume(voxels=hu, geometry=Geometry(shape=(5, 80, 80), spacing_mm=(3.0, 1.0, 2.0))),
        regions={"tumour": (Region(name="tumour", mask=mask),), "nodes": ()},
    )
    shown = region_slice(case)
    assert shown.number == 3
    # 15 mm are 15 voxels of 1 mm above and below, 8 voxels of 2 mm (rounded up) at the sides.
    assert shown.hu.shape == (6 + 2 * 15, 20 + 2 * 8)
    np.testing.assert_array_equal(shown.hu, hu[3, 23:59, 22:58])
    assert shown.masks["tumour"].sum() == 6 * 20
    assert "nodes" not in shown.masks
