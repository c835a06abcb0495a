import numpy as np
import pytest
from numpy.typing import NDArray

from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import DrawnRegion, RingRegion
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.extractors.size import COLUMNS, Size
from tests.builders_cases import Triple, ball, ball_case, imaged_case, texture

RULE = DrawnRegion(mask="")
TUMOUR = Size(region="tumour", rule=RULE)


def sizes(case: ImagedCase) -> dict[str, float]:
    [features] = TUMOUR.extract(case)
    return dict(zip(COLUMNS, features.values.tolist(), strict=True))


def case_of(mask: NDArray[np.bool_], spacing_mm: Triple = (1.0, 1.0, 1.0)) -> ImagedCase:
    hu = np.zeros(mask.shape, np.int16)
    return imaged_case(hu=hu, masks={"tumour": mask}, spacing_mm=spacing_mm)


def test_one_voxel_has_an_octahedron_for_a_mesh() -> None:
    mask = np.zeros((3, 3, 3), bool)
    mask[1, 1, 1] = True
    found = sizes(case_of(mask))
    # Corners half a voxel from the centre: volume 1/6, diagonal 1, 8 triangles of √3/8.
    assert found["mesh_volume_cc"] == pytest.approx(1 / 6 / 1000)
    assert found["voxel_volume_cc"] == pytest.approx(1 / 1000)
    assert found["longest_diameter_mm"] == pytest.approx(1.0)
    assert found["surface_area_cm2"] == pytest.approx(np.sqrt(3) / 100)


def test_a_ball_is_as_large_as_geometry_says() -> None:
    mask = ball((80, 80, 80), centre=(40, 40, 40), radius_mm=15, spacing_mm=(0.5, 0.5, 0.5))
    found = sizes(case_of(mask, (0.5, 0.5, 0.5)))
    assert found["mesh_volume_cc"] == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.01)
    assert found["longest_diameter_mm"] == pytest.approx(30, rel=0.02)
    # A mesh of steps is rougher than a sphere.
    assert found["surface_area_cm2"] == pytest.approx(4 * np.pi * 1.5**2, rel=0.1)


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_size_does_not_depend_on_how_the_axes_lie(axes: tuple[int, int, int]) -> None:
    spacing_mm = (3.0, 1.0, 0.8)
    mask = ball((12, 30, 40), centre=(6, 15, 20), radius_mm=9, spacing_mm=spacing_mm)
    turned = case_of(
        mask.transpose(axes), (spacing_mm[axes[0]], spacing_mm[axes[1]], spacing_mm[axes[2]])
    )
    assert sizes(turned) == pytest.approx(sizes(case_of(mask, spacing_mm)), rel=1e-9)


def test_twice_the_spacing_is_eight_times_the_volume() -> None:
    mask = ball((12, 12, 12), centre=(6, 6, 6), radius_mm=4, spacing_mm=(1, 1, 1))
    small, large = sizes(case_of(mask)), sizes(case_of(mask, (2.0, 2.0, 2.0)))
    factors = {column: large[column] / small[column] for column in COLUMNS}
    assert factors == pytest.approx(
        {
            "mesh_volume_cc": 8,
            "voxel_volume_cc": 8,
            "surface_area_cm2": 4,
            "longest_diameter_mm": 2,
        }
    )


def test_size_is_the_shape_that_pyradiomics_sees_on_the_native_grid() -> None:
    case = ball_case()
    native = RadiomicsParameters(spacing_mm="native", images=("Original",))
    radiomics = Radiomics(region="tumour", rule=RULE, parameters=native)
    [features] = radiomics.extract(case)
    shape = dict(zip(radiomics.recipe.columns, features.values.tolist(), strict=True))
    assert sizes(case) == pytest.approx(
        {
            "mesh_volume_cc": shape["original_shape_MeshVolume"] / 1000,
            "voxel_volume_cc": shape["original_shape_VoxelVolume"] / 1000,
            "surface_area_cm2": shape["original_shape_SurfaceArea"] / 100,
            "longest_diameter_mm": shape["original_shape_Maximum3DDiameter"],
        },
        rel=1e-12,
    )


def test_a_region_at_the_edge_of_the_volume_is_closed() -> None:
    inner = np.zeros((8, 8, 8), bool)
    inner[2:6, 2:6, 2:6] = True
    assert sizes(case_of(inner[2:6, 2:6, 2:6])) == pytest.approx(sizes(case_of(inner)))


def test_a_patient_without_nodes_has_a_node_volume_of_zero() -> None:
    case = imaged_case(hu=texture((4, 4, 4)), masks={"nodes": ()})
    [features] = Size(region="nodes", rule=DrawnRegion(mask="", optional=True)).extract(case)
    assert features.values.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert features.flags == {"region_absent": True}


def test_separate_parts_are_rows_and_their_voxels_add_up() -> None:
    large = ball((20, 40, 40), centre=(10, 10, 10), radius_mm=6, spacing_mm=(1, 1, 1))
    small = ball((20, 40, 40), centre=(10, 30, 30), radius_mm=4, spacing_mm=(1, 1, 1))
    hu = texture((20, 40, 40))
    parts = TUMOUR.extract(imaged_case(hu=hu, masks={"tumour": (large, small)}))
    union = sizes(imaged_case(hu=hu, masks={"tumour": large | small}))
    assert [part.part for part in parts] == [1, 2]
    total = sum(part.values[: len(COLUMNS)] for part in parts)
    assert union["mesh_volume_cc"] == pytest.approx(total[COLUMNS.index("mesh_volume_cc")])
    # The larger ball's; from end to end of both it would be 38 mm.
    assert union["longest_diameter_mm"] == pytest.approx(12, abs=1.0)


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(CaseError, match="holds no voxel") as caught:
        TUMOUR.extract(case_of(np.zeros((4, 4, 4), bool)))
    assert caught.value.code is Code.REGION_EMPTY


def test_another_rule_is_another_recipe() -> None:
    recipes = [
        TUMOUR.recipe,
        Size(region="nodes", rule=RULE).recipe,
        Size(region="tumour", rule=DrawnRegion(mask="", parts="largest")).recipe,
        Size(region="tumour", rule=RingRegion(), around=RULE).recipe,
    ]
    assert len({recipe.fingerprint for recipe in recipes}) == 4
    assert recipes[0].columns == COLUMNS
