import numpy as np
import pytest

from hnmets.explanation.occlusion import occlusion
from tests.explanation.networks import ReadsMask, ReadsPlace, crop_with_cube, trained_on_cubes

SHAPE = (16, 16, 16)


def box(start: int, stop: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[start:stop, start:stop, start:stop] = True
    return mask


def crop_of(ct: np.ndarray, tumour: np.ndarray) -> np.ndarray:
    return np.stack([ct, tumour, np.zeros(SHAPE)]).astype(np.float32)


def test_a_region_that_the_network_ignores_changes_nothing() -> None:
    crop, _ = crop_with_cube(np.random.default_rng(0), cube=True)
    (found,) = occlusion(ReadsPlace(box(0, 4)).eval(), crop, {"larynx": box(8, 14)})
    assert (found.look, found.voxels) == (0.0, 6**3)
    assert found.look_and_contour is None


def test_a_region_takes_the_mean_of_the_two_voxels_around_it() -> None:
    place = box(6, 10)
    ct = np.full(SHAPE, 0.1)
    ct[box(4, 12)] = 0.5
    ct[place] = 0.9
    (found,) = occlusion(ReadsPlace(place).eval(), crop_of(ct, box(0, 2)), {"cord": place})
    assert found.look == pytest.approx(0.9**2 - 0.5**2, abs=1e-6)


def test_an_organ_keeps_the_tumour_inside_it() -> None:
    tumour, organ = box(6, 9), box(4, 12)
    ct = np.where(tumour, 0.9, 0.4)
    (found,) = occlusion(ReadsPlace(tumour).eval(), crop_of(ct, tumour), {"organ": organ})
    assert found.look == 0
    (of_tumour,) = occlusion(ReadsPlace(tumour).eval(), crop_of(ct, tumour), {"tumour": tumour})
    assert of_tumour.look == pytest.approx(0.9**2 - 0.4**2, abs=1e-6)


def test_look_and_contour_are_told_apart() -> None:
    tumour = box(6, 9)
    (found,) = occlusion(
        ReadsMask().eval(), crop_of(np.full(SHAPE, 0.4), tumour), {"tumour": tumour}
    )
    assert (found.look, found.look_and_contour) == (0.0, 27.0)


def test_a_planted_cube_speaks_for_the_event_and_another_place_does_not() -> None:
    crop, place = crop_with_cube(np.random.default_rng(2), cube=True)
    corner = np.zeros(SHAPE, bool)
    corner[np.unravel_index(np.flatnonzero(~place)[:64], SHAPE)] = True
    crop[1:] = 0
    found = {o.region: o for o in occlusion(trained_on_cubes(), crop, {"a": place, "b": corner})}
    assert found["a"].look > 2
    assert abs(found["b"].look) < 0.2 * found["a"].look


def test_a_region_outside_the_crop_changes_nothing() -> None:
    crop, _ = crop_with_cube(np.random.default_rng(0), cube=True)
    (found,) = occlusion(trained_on_cubes(), crop, {"parotid": np.zeros(SHAPE, bool)})
    assert (found.look, found.voxels) == (0.0, 0)
