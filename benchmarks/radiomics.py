"""The fast radiomics against PyRadiomics: CPU seconds of one region, wall seconds of a cohort.

Run it with `python benchmarks/radiomics.py [--lung FOLDER] [--batch]`. One thread per side, both
interleaved in one process, medians; what is compiled once per installation is compiled before.
HNMETS_REAL_DATA adds real data, `--lung` the folder `data` of PyRadiomics' source distribution,
and `--batch` the whole sarcoma cohort by two workers.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry, Volume
from hnmets.extractors.fast_radiomics import engine as fast
from hnmets.extractors.fast_radiomics.warm_up import compile_all
from hnmets.extractors.radiomics_audit import relative_differences
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.workflows.case_reader import Reading, read_case
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.study import Study, load_study

REPEATS = 3
DEFAULT = RadiomicsParameters()
WHOLE_IMAGE = replace(DEFAULT, spacing_mm="native", filter_extent="image")
STUDY = Path(__file__).parents[1] / "examples" / "sts" / "study.toml"


@dataclass(frozen=True, kw_only=True)
class Region:
    """Something to measure."""

    name: str
    ct: Volume
    mask: NDArray[np.bool_]
    parameters: RadiomicsParameters = DEFAULT


def main() -> None:
    """Print a line for each region, then the batch."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lung", type=Path, help="folder with lung1_image.nrrd and lung2")
    parser.add_argument("--batch", action="store_true", help="the sarcoma cohort, two workers")
    chosen = parser.parse_args()
    # Python looks for modules beside a script first, and this one is called like PyRadiomics.
    sys.path.remove(str(Path(__file__).parent))
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("pyradiomics-bhklab", "SimpleITK", "numba", "numpy")
    )
    print(f"load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}, {libraries}")
    begin = time.perf_counter()
    compile_all()
    print(f"compiled or loaded in {time.perf_counter() - begin:.1f} s, not counted below")
    for region in (*synthetic(), *published(chosen.lung), *sarcomas()):
        compare(region)
    if chosen.batch:
        compare_batches()


def compare(region: Region) -> None:
    """Print both medians, their ratio, and how far the values are apart."""
    ours, theirs = [], []
    for _ in range(REPEATS):
        found, seconds = timed(fast_values, region)
        ours.append(seconds)
        expected, seconds = timed(exact_values, region)
        theirs.append(seconds)
    names = tuple(expected)
    mine, exact = np.array([found[name] for name in names]), np.array(list(expected.values()))
    worst = relative_differences(mine, exact, names).max()
    a, b = statistics.median(ours), statistics.median(theirs)
    print(
        f"{region.name:34s} fast {a:7.3f} s, PyRadiomics {b:7.3f} s CPU: {b / a:5.1f} x, "
        f"worst difference {worst:.0e}, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def timed(
    measure: Callable[[Region], dict[str, float]], region: Region
) -> tuple[dict[str, float], float]:
    """Return the values and the CPU seconds that they took."""
    begin = time.process_time()
    values = measure(region)
    return values, time.process_time() - begin


def fast_values(region: Region) -> dict[str, float]:
    """Measure with the fast engine."""
    return dict(fast.measure(region.ct, region.mask, region.parameters).values)


def exact_values(region: Region) -> dict[str, float]:
    """Measure with PyRadiomics, in one thread."""
    from hnmets.extractors.pyradiomics_engine import measure

    return dict(measure(region.ct, region.mask, region.parameters).values)


def synthetic() -> Iterator[Region]:
    """Yield tumours of 40 cc and rings around them, in noise as a CT has it."""
    for name, shape, spacing in (
        ("40 cc, 1 mm grid", (110, 256, 256), (1.0, 1.0, 1.0)),
        ("40 cc, 3 mm slices", (80, 512, 512), (3.0, 0.9765625, 0.9765625)),
    ):
        ct = Volume(voxels=noise(shape), geometry=Geometry(shape=shape, spacing_mm=spacing))
        tumour = ball(shape, spacing, radius_mm=21.2)
        yield Region(name=f"synthetic {name}", ct=ct, mask=tumour)
        for width in (3.0, 5.0, 10.0):
            ring = ball(shape, spacing, radius_mm=21.2 + width) & ~tumour
            yield Region(name=f"  ring of {width:g} mm", ct=ct, mask=ring)
        small = ball(shape, spacing, radius_mm=6.0)
        yield Region(name="  0.9 cc", ct=ct, mask=small)


def published(lung: Path | None) -> Iterator[Region]:
    """Yield PyRadiomics' own test images."""
    folder = os.environ.get("HNMETS_REAL_DATA")
    names = [(Path(folder) / "pyradiomics", n) for n in ("brain1", "brain2", "breast1") if folder]
    names += [(lung, name) for name in ("lung1", "lung2") if lung]
    for place, name in names:
        image = sitk.ReadImage(place / f"{name}_image.nrrd")
        voxels = sitk.GetArrayFromImage(image)
        mask = sitk.GetArrayFromImage(sitk.ReadImage(place / f"{name}_label.nrrd")) == 1
        geometry = Geometry(
            shape=voxels.shape,
            spacing_mm=image.GetSpacing()[::-1],
            origin_mm=image.GetOrigin(),
            direction=image.GetDirection(),
        )
        ct = Volume(voxels=voxels, geometry=geometry)
        yield Region(name=name, ct=ct, mask=mask)
        yield Region(name=f"{name}, whole image", ct=ct, mask=mask, parameters=WHOLE_IMAGE)


def sarcomas() -> Iterator[Region]:
    """Yield tumour and ring of the 15 real cases, smallest file first."""
    if "HNMETS_REAL_DATA" not in os.environ:
        return
    study = load_study(STUDY)
    parameters = study.radiomics.parameters
    for case_id in sarcoma_ids(study):
        ct, masks = read_regions(study, case_id)
        for name, mask in masks.items():
            cc = np.count_nonzero(mask) * ct.geometry.voxel_volume_mm3 / 1000
            label = f"{case_id} {name}, {cc:.0f} cc"
            yield Region(name=label, ct=ct, mask=mask, parameters=parameters)


def sarcoma_ids(study: Study) -> list[str]:
    """Return the ids of the cohort."""
    return [case.case_id for case in read_cohort(study).cases]


def read_regions(study: Study, case_id: str) -> tuple[Volume, dict[str, NDArray[np.bool_]]]:
    """Read a case as a build does."""
    case = next(case for case in read_cohort(study).cases if case.case_id == case_id)
    read = read_case(Reading(case=case, rules=study.regions, memory_gib=8)).case
    return read.ct, {name: read.regions[name][0].mask for name in ("tumour", "ring")}


def compare_batches() -> None:
    """Print the wall seconds of the whole cohort, reading included."""
    ours = batch(fast_values, workers=2)
    for workers in (1, 2):
        theirs = batch(exact_values, workers=workers)
        print(
            f"15 cases, tumour and ring: fast by 2 workers {ours:.1f} s, PyRadiomics by {workers} "
            f"{theirs:.1f} s wall: {theirs / ours:.1f} x, load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def batch(measure: Callable[[Region], dict[str, float]], *, workers: int) -> float:
    """Return the wall seconds that worker processes need for the cohort, their start included."""
    ids = sarcoma_ids(load_study(STUDY))
    begin = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(workers, limit_to_one_thread) as pool:
        pool.starmap(measure_case, [(measure, case_id) for case_id in ids], chunksize=1)
    return time.perf_counter() - begin


def limit_to_one_thread() -> None:
    """Keep a worker to one core."""
    os.environ["OMP_NUM_THREADS"] = "1"
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def measure_case(measure: Callable[[Region], dict[str, float]], case_id: str) -> None:
    """Measure tumour and ring of a case."""
    study = load_study(STUDY)
    ct, masks = read_regions(study, case_id)
    for mask in masks.values():
        measure(Region(name=case_id, ct=ct, mask=mask, parameters=study.radiomics.parameters))


def noise(shape: tuple[int, int, int]) -> NDArray[np.int16]:
    """Soft tissue with coarse structure and the noise of a scanner, HU."""
    rng = np.random.default_rng(1)
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    waves = np.sin(z / 5) + np.sin(y / 9) + np.cos(x / 7)
    return np.rint(50 + 25 * waves + rng.normal(0, 20, shape)).astype(np.int16)


def ball(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], *, radius_mm: float
) -> NDArray[np.bool_]:
    """Return the voxels within a radius of the middle."""
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    squares = [
        ((axis - n / 2) * step) ** 2 for axis, n, step in zip(axes, shape, spacing_mm, strict=True)
    ]
    inside: NDArray[np.bool_] = squares[0] + squares[1] + squares[2] <= radius_mm**2
    return inside


if __name__ == "__main__":
    main()
