"""Crop-first preprocessing against MONAI's chain over the whole volume, in one run.

One patient, 512 × 512 × 150 voxels of 0.977 × 0.977 × 3 mm as .nii.gz, and a label map with
tumour and ring. Both ways read both files and end with a 96³ crop at 1 mm, window −160…240 HU.

    python -m benchmarks.crop
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from numpy.typing import NDArray

from hnmets.imaging.crop import AIR_HU, Crop, CropParameters, cut
from hnmets.imaging.orientation import canonical
from hnmets.imaging.resample import Positions, linear
from hnmets.imaging.window import quantised, unit
from hnmets.sources.nifti import read_ct, read_mask

WANTED_RATIO = 20.0
WANTED_DIFFERENCE = 1e-3
PARAMETERS = CropParameters()
SHAPE = (150, 512, 512)
SPACING_MM = (3.0, 0.9765625, 0.9765625)
# Far from the border of the volume, as tumours are; no multiple of anything.
MIDDLE = (71, 240, 283)
MONAI_RUNS, OWN_RUNS = 3, 9

MonaiCrop = Any  # MONAI is untyped: a MetaTensor


def main() -> int:
    """Measure both ways, print medians, ratio and difference; 1 where a target is missed."""
    torch.set_num_threads(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        ct, labels = write_patient(Path(folder))
        chain = monai_chain()
        theirs, their_s = timed(lambda: chain({"ct": ct, "labels": labels}), MONAI_RUNS)
        _, own_s = timed(lambda: own_crop(ct, labels), OWN_RUNS)
        difference = largest_difference(theirs["ct"], ct)
    ratio = their_s / own_s
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"MONAI, whole volume   median {their_s:8.3f} s of {MONAI_RUNS}")
    print(f"hnmets, crop first    median {own_s:8.3f} s of {OWN_RUNS}")
    print(f"ratio {ratio:.1f} (wanted {WANTED_RATIO:.0f})")
    print(f"largest difference {difference:.1e} of the window (wanted {WANTED_DIFFERENCE:.0e})")
    return 0 if ratio >= WANTED_RATIO and difference <= WANTED_DIFFERENCE else 1


def write_patient(folder: Path) -> tuple[Path, Path]:
    """Write a noisy body with soft structure, and a tumour (1) in its ring (2)."""
    rng = np.random.default_rng(0)
    d, h, w = (np.arange(n, dtype=np.float32) for n in SHAPE)
    structure = (
        60 * np.sin(d / 7)[:, None, None]
        + 60 * np.sin(h / 11)[None, :, None] * np.cos(w / 13)[None, None, :]
    )
    noisy = structure + rng.normal(0, 25, SHAPE).astype(np.float32)
    body = ((h - 256) / 200)[:, None] ** 2 + ((w - 256) / 160)[None, :] ** 2 < 1
    hu = np.where(body, noisy, -1000).round().astype(np.int16)
    offsets = (
        ((axis - middle) * mm) ** 2
        for axis, middle, mm in zip((d, h, w), MIDDLE, SPACING_MM, strict=True)
    )
    z, y, x = offsets
    distance_mm = np.sqrt(z[:, None, None] + y[None, :, None] + x[None, None, :])
    labels = (distance_mm < 17).astype(np.uint8) + (distance_mm < 22)
    labels = np.where(labels == 2, 1, np.where(labels == 1, 2, 0)).astype(np.uint8)
    return write(folder / "ct.nii.gz", hu), write(folder / "labels.nii.gz", labels)


def write(path: Path, voxels: NDArray[Any]) -> Path:
    """Write an array (D, H, W) on a grid that lies in LPS order."""
    affine = np.diag([-SPACING_MM[2], -SPACING_MM[1], SPACING_MM[0], 1.0])
    image = nib.Nifti1Image(voxels.transpose(2, 1, 0), affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    nib.save(image, path)
    return path


def own_crop(ct: Path, labels: Path) -> Crop:
    """Read with every check, cut, resample once."""
    image = canonical(read_ct(ct, memory_gib=8).volume)
    drawn = canonical(read_mask(labels, memory_gib=8).volume).voxels
    return cut(image, tumour=drawn == 1, ring=drawn == 2, parameters=PARAMETERS)


def monai_chain() -> Callable[[dict[str, Path]], dict[str, MonaiCrop]]:
    """Return the usual recipe: everything is done to the whole volume, the crop comes last."""
    from monai import transforms as mt

    low, high = PARAMETERS.window_hu
    both = ["ct", "labels"]
    chain: Callable[[dict[str, Path]], dict[str, MonaiCrop]] = mt.Compose(
        [
            mt.LoadImaged(both, ensure_channel_first=True),
            mt.Orientationd(both, axcodes="LPS", labels=None),
            mt.Spacingd(both, pixdim=(1.0, 1.0, 1.0), mode=("bilinear", "nearest")),
            mt.ScaleIntensityRanged("ct", low, high, 0.0, 1.0, clip=True),
            # The margin keeps the tissue around the labels, which padding would replace by 0.
            mt.CropForegroundd(
                both, source_key="labels", allow_smaller=True, margin=PARAMETERS.size_voxels // 2
            ),
            mt.ResizeWithPadOrCropd(both, PARAMETERS.size_voxels),
        ]
    )
    return chain


def largest_difference(theirs: MonaiCrop, ct: Path) -> float:
    """Sample our way at the very points of MONAI's crop; its grid starts elsewhere than ours."""
    image = canonical(read_ct(ct, memory_gib=8).volume)
    affine = np.asarray(theirs.affine, dtype=np.float64)
    positions = []
    for axis in (2, 1, 0):
        # MONAI counts (x, y, z) in RAS, the volume (D, H, W) in LPS; both grids are upright.
        sign = 1 if axis == 2 else -1
        at_mm = sign * (affine[axis, 3] + np.arange(theirs.shape[1 + axis]) * affine[axis, axis])
        spacing_mm = image.geometry.spacing_mm[2 - axis]
        positions.append((at_mm - image.geometry.origin_mm[axis]) / spacing_mm)
    d, h, w = positions
    grid: Positions = (d, h, w)
    own = unit(quantised(linear(image.voxels, grid, outside=AIR_HU), PARAMETERS.window_hu))
    return float(np.abs(own - np.asarray(theirs)[0].transpose(2, 1, 0)).max())


def timed(work: Callable[[], Any], runs: int) -> tuple[Any, float]:
    """Return the last result and the median of the runs, seconds."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
