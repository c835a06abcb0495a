from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from matplotlib.image import imread

from hnmets.domain.geometry import Geometry
from hnmets.imaging.box import bounding_box
from hnmets.reporting.overlay import Picture, overlay_figure, write_overlays
from tests.builders_volumes import ball

SHAPE = (48, 48, 48)
MM = 2.0
TUMOUR = ball(SHAPE, centre=(20, 24, 26), radius_mm=8, spacing_mm=(MM,) * 3)
RING = ball(SHAPE, centre=(20, 24, 26), radius_mm=13, spacing_mm=(MM,) * 3) & ~TUMOUR
# 20 degrees around the head-foot axis
OBLIQUE = (0.9396926, -0.3420201, 0.0, 0.3420201, 0.9396926, 0.0, 0.0, 0.0, 1.0)


def picture(attribution: np.ndarray | None = None) -> Picture:
    rng = np.random.default_rng(0)
    return Picture(
        title="HN-001",
        window=rng.random(SHAPE, dtype=np.float32),
        maps={"integrated gradients": rng.normal(size=SHAPE)}
        if attribution is None
        else {"a map": attribution},
        outlines={"tumour": TUMOUR, "ring": RING},
        geometry=Geometry(
            shape=SHAPE, spacing_mm=(MM,) * 3, origin_mm=(-5.0, 7.5, 30.0), direction=OBLIQUE
        ),
    )


def most_voxels() -> tuple[int, ...]:
    box = bounding_box(TUMOUR | RING)
    assert box is not None
    return tuple(side.stop - side.start + 2 * round(10 / MM) for side in box)


def test_nothing_is_drawn_beyond_a_centimetre_around_the_regions() -> None:
    depth, height, width = most_voxels()
    figure = overlay_figure(picture())
    drawn = [image.get_array().shape for axes in figure.axes[:3] for image in axes.images]
    planes = [(height, width), (depth, width), (depth, height)]
    assert drawn == [plane for plane in planes for _ in range(2)]  # CT and map
    assert max(max(plane) for plane in planes) < 0.8 * min(SHAPE)


def test_nothing_is_written_beyond_a_centimetre_around_the_regions(tmp_path: Path) -> None:
    figure, *volumes = write_overlays(picture(), tmp_path)
    assert imread(figure).shape[1] == 1320  # 6.6 inches at 200 dots
    assert [path.name for path in volumes] == ["ct.nii.gz", "integrated-gradients.nii.gz"]
    for path in volumes:
        assert nibabel.load(path).shape == most_voxels()[::-1]


def test_a_voxel_of_the_map_lies_where_it_was_in_the_patient(tmp_path: Path) -> None:
    attribution = np.zeros(SHAPE)
    attribution[18, 27, 24] = 3.5
    shown = picture(attribution)
    write_overlays(shown, tmp_path)
    written = nibabel.load(tmp_path / "a-map.nii.gz")
    values = written.get_fdata()
    (index,) = np.argwhere(values)
    assert values[tuple(index)] == 3.5
    x, y, z = shown.geometry.position_mm((18, 27, 24))
    np.testing.assert_allclose(
        nibabel.affines.apply_affine(written.affine, index), (-x, -y, z), atol=1e-4
    )
    # A header that says two things is read in two ways.
    np.testing.assert_allclose(written.get_qform(), written.get_sform(), atol=1e-4)


def test_a_tumour_at_the_border_is_drawn_as_far_as_the_crop_goes() -> None:
    whole = picture()
    shifted = np.roll(TUMOUR, -14, axis=0)
    part = replace(whole, outlines={"tumour": shifted}).of_regions()
    assert part.window.shape[0] == np.flatnonzero(shifted.any(axis=(1, 2)))[-1] + 1 + 5
    assert part.geometry.origin_mm[2] == 30.0


def test_the_map_is_drawn_where_it_speaks_and_in_its_colour() -> None:
    attribution = np.where(TUMOUR, 1.0, 0.0)
    axial = overlay_figure(picture(attribution)).axes[0]
    drawn = axial.images[1]
    opaque = np.asarray(drawn.get_alpha()) > 0.5
    assert 0.5 < opaque.sum() / TUMOUR[20].sum() < 1.5
    red, _, blue, _ = drawn.cmap(drawn.norm(np.asarray(drawn.get_array())[opaque])).mean(axis=0)
    assert red > 2 * blue


def test_without_a_tumour_there_is_nothing_to_draw_around() -> None:
    nobody = {"tumour": np.zeros(SHAPE, bool)}
    with pytest.raises(ValueError, match="no voxel"):
        replace(picture(), outlines=nobody).of_regions()


def test_the_same_map_gives_the_same_files(tmp_path: Path) -> None:
    one, two = (write_overlays(picture(), tmp_path / name) for name in ("1", "2"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
