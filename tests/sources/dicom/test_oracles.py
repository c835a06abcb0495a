"""Masks against those of other tools, where they are installed.

plastimatch (a Debian package) fills contours where they are, as we do. DicomRTTool and
med-imagetools move their points to whole voxels first, which bounds what they can agree to; they
come with `pip install --group oracles`.
"""

import shutil
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from numpy.typing import NDArray

from hnmets.sources.dicom.drawn import DrawnPatient, draw
from hnmets.sources.dicom.instance import read_instance
from hnmets.sources.dicom.plan import plan
from hnmets.sources.dicom.region_rules import RegionRules, parse_rules
from tests.builders_dicom import KEY, circle, patient, tube, write_patient

Mask = NDArray[np.bool_]
Polygons = list[NDArray[np.float64]]
SHAPES: dict[str, Polygons] = {
    "disc": tube(range(3, 9), 22.0),
    "hole": [*tube(range(3, 9), 22.0), *tube(range(3, 9), 9.0)],
    "parts": [*tube(range(3, 6)), *(circle(3.0 * n, 11.0, centre_mm=(50, 60)) for n in (4, 5))],
}


def keyholes() -> Polygons:
    found = []
    for outer, inner in zip(tube(range(3, 9), 22.0), tube(range(3, 9), 9.0), strict=True):
        back = inner[::-1]
        found.append(np.concatenate([outer, outer[:1], back[-1:], back, outer[:1]]))
    return found


SHAPES["keyhole"] = keyholes()


def rules_for(names: Sequence[str]) -> RegionRules:
    roles = "\n".join(f'[roles.{name.lower()}]\nexact = ["{name}"]' for name in names)
    return parse_rules(f'version = 1\nname = "oracles"\n{roles}')


def ours(folder: Path, names: Sequence[str]) -> DrawnPatient:
    instances = [read_instance(file, KEY) for file in sorted(folder.rglob("*.dcm"))]
    rules = rules_for(names)
    return draw(plan(instances[0].patient, instances, rules), rules, memory_gib=4)


def dice(one: Mask, other: Mask) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def by_plastimatch(folder: Path, drawn: DrawnPatient, out: Path) -> dict[str, Mask]:
    if shutil.which("plastimatch") is None:
        pytest.skip("no plastimatch is installed: `apt-get install plastimatch`")
    empty = sitk.GetImageFromArray(np.zeros(drawn.ct.geometry.shape, np.int16))
    empty.SetSpacing(drawn.ct.geometry.spacing_mm[::-1])
    empty.SetOrigin(drawn.ct.geometry.origin_mm)
    sitk.WriteImage(empty, str(out / "fixed.mha"))
    structures = sorted((folder / "other").glob("*.dcm")) or sorted(folder.glob("mask/*.dcm"))
    subprocess.run(
        [
            *("plastimatch", "convert", "--input", str(structures[0])),
            *("--fixed", str(out / "fixed.mha"), "--output-prefix", str(out / "masks")),
            *("--prefix-format", "mha", "--xor-contours"),
        ],
        check=True,
        capture_output=True,
    )
    return {
        file.stem: sitk.GetArrayFromImage(sitk.ReadImage(str(file))) > 0
        for file in (out / "masks").glob("*.mha")
    }


def test_plastimatch_fills_the_same_voxels(tmp_path: Path) -> None:
    folder = write_patient(tmp_path, *patient(1, **SHAPES))
    drawn = ours(folder, list(SHAPES))
    theirs = by_plastimatch(folder, drawn, tmp_path)
    agreement = {name: dice(drawn.masks[name], theirs[name]) for name in SHAPES}
    assert min(agreement.values()) >= 0.999, agreement


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["STS_008", "STS_019"])
def test_plastimatch_fills_the_same_voxels_of_a_real_tumour(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    if shutil.which("plastimatch") is None:
        return  # real data are at hand, the tool is not: nothing to compare with
    folder = real_data / "sts" / "dicom" / name
    drawn = ours(folder, ["GTV_Mass_CT"])
    theirs = by_plastimatch(folder, drawn, tmp_path)
    assert dice(drawn.masks["gtv_mass_ct"], theirs["GTV_Mass_CT"]) >= 0.999


def test_dicomrttool_agrees_within_a_voxel_of_the_border(tmp_path: Path) -> None:
    tool = pytest.importorskip("DicomRTTool.ReaderWriter")
    folder = write_patient(tmp_path, *patient(1, **SHAPES))
    drawn = ours(folder, list(SHAPES))
    reader = tool.DicomReaderWriter(Contour_Names=list(SHAPES), arg_max=False, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader.walk_through_folders(str(folder))
        reader.get_images()
        reader.get_mask()
    stacked = np.asarray(reader.mask)[..., 1:] > 0
    for place, name in enumerate(SHAPES):
        assert_within_a_voxel(drawn.masks[name], stacked[..., place])


def test_med_imagetools_agrees_within_a_voxel_of_the_border(tmp_path: Path) -> None:
    structures = pytest.importorskip("imgtools.coretypes.masktypes.structureset")
    types = pytest.importorskip("imgtools.coretypes")
    folder = write_patient(tmp_path, *patient(1, **SHAPES))
    drawn = ours(folder, list(SHAPES))
    image = sitk.GetImageFromArray(np.zeros(drawn.ct.geometry.shape, np.int16))
    image.SetSpacing(drawn.ct.geometry.spacing_mm[::-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = structures.RTStructureSet.from_dicom(next((folder / "other").glob("*.dcm")))
    size = (*drawn.ct.geometry.shape, 1)
    # It joins contours by `or`: holes are filled, and keyholes are not.
    for name in ("disc", "parts", "keyhole"):
        mask = found.get_mask_ndarray(types.MedImage(image), name, size).astype(bool)
        assert_within_a_voxel(drawn.masks[name], mask)


def assert_within_a_voxel(own: Mask, theirs: Mask) -> None:
    from scipy import ndimage

    cross = ndimage.generate_binary_structure(2, 2)[np.newaxis]
    wide = ndimage.binary_dilation(own, cross)
    narrow = ndimage.binary_erosion(own, cross)
    assert not (theirs & ~wide).any()
    assert not (narrow & ~theirs).any()
    assert own.any()
