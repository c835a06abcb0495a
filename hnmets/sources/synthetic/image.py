"""One synthetic CT with its tumour and organs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from hnmets.domain.geometry import Geometry
from hnmets.sources.synthetic import anatomy
from hnmets.sources.synthetic.anatomy import Build, Organ
from hnmets.sources.synthetic.canvas import Canvas
from hnmets.sources.synthetic.grid import Grid
from hnmets.sources.synthetic.nodes import draw_nodes
from hnmets.sources.synthetic.person import Person
from hnmets.sources.synthetic.randomness import Purpose, stream
from hnmets.sources.synthetic.tumour import Seat, grow, volume_cc

_PARTIAL_VOLUME_MM, _STRANDS_HU = 0.7, 11.0
# (z, y, distance from the midline) of the tumour's centre, mm: away from jaw and spine.
_SEATS_MM: dict[str, tuple[float, float, float]] = {
    "oropharynx": (0.0, -3.0, 37.0),
    "oral_cavity": (4.0, -34.0, 26.0),
    "larynx": (-34.0, -8.0, 34.0),
    "hypopharynx": (-24.0, 0.0, 36.0),
    "nasopharynx": (8.0, 2.0, 37.0),
}


@dataclass(frozen=True, kw_only=True)
class SyntheticImage:
    """What a case writes to disk.

    Parameters
    ----------
    hu
        int16 (D, H, W).
    gtv
        uint8 (D, H, W): 1 the primary tumour, 2 lymph nodes.
    organs
        uint8 (D, H, W), labels of `Organ`.
    """

    hu: NDArray[np.int16]
    gtv: NDArray[np.uint8]
    organs: NDArray[np.uint8]
    geometry: Geometry


def draw_image(
    person: Person, *, seed: int, index: int, scale: float, spacing_mm: tuple[float, float, float]
) -> SyntheticImage:
    """Draw the CT of one patient.

    Parameters
    ----------
    scale
        Size of the body and of the field of view; 1 is a whole neck.
    spacing_mm
        Nominal voxel size along (D, H, W); each centre's scanner differs a little.
    """
    d, h, w = (a * b for a, b in zip(spacing_mm, person.centre.spacing_factor, strict=True))
    canvas = Canvas.empty(Grid.covering(scale, (d, h, w)))
    rng = stream(seed=seed, index=index, purpose=Purpose.ANATOMY)
    x, y, z = rng.integers((-20, -180, -600), (20, -120, 600)).astype(float).tolist()
    seat = _seat(rng, person, scale=scale)
    build = _build(rng, seat, scale=scale)
    anatomy.paint(canvas, build)
    _soften(canvas, _PARTIAL_VOLUME_MM * scale)
    strands = _noise(rng, canvas.grid, kernel_mm=(2.0 * scale, 2.0 * scale, 2.0 * scale))
    canvas.hu[...] += np.where(np.abs(canvas.hu) < 200.0, _STRANDS_HU * strands, 0.0)
    draw_nodes(rng, canvas=canvas, seat=seat, n_stage=person.n_stage, size=build.size)
    tumour_rng = stream(seed=seed, index=index, purpose=Purpose.TUMOUR)
    grow(tumour_rng, canvas=canvas, seat=seat, latents=person.latents, scale=scale)
    canvas.organs[(canvas.gtv > 0) & (canvas.organs > 0)] = Organ.SOFT_TISSUE
    # Noise comes last and without a blur of the tumour: its histogram stays blind to texture.
    noise_rng = stream(seed=seed, index=index, purpose=Purpose.NOISE)
    in_plane_mm = person.centre.kernel_mm
    noise = _noise(noise_rng, canvas.grid, kernel_mm=(0.0, in_plane_mm, in_plane_mm))
    hu = canvas.hu + person.centre.noise_hu * noise
    return SyntheticImage(
        hu=np.clip(np.rint(hu), -1024, 3071).astype(np.int16),
        gtv=canvas.gtv,
        organs=canvas.organs,
        geometry=canvas.grid.geometry((x, y, z)),
    )


def _seat(rng: np.random.Generator, person: Person, *, scale: float) -> Seat:
    """Place the tumour on either side with equal chance.

    The classes of the spatial pattern swap when the patient is mirrored. Because side and class
    are independent, what the anatomy does to a feature on the left for one class it does on the
    right for the other: outside landmarks cannot give the class away.
    """
    side = 1.0 if rng.random() < 0.5 else -1.0
    z, y, x = np.array(_SEATS_MM[person.subsite]) + rng.normal(0.0, (4.0, 2.0, 1.0))
    volume_mm3 = 1000.0 * volume_cc(person.latents.volume)
    # A larger tumour grows outwards, where there is room.
    x += 0.4 * (np.cbrt(volume_mm3) - 26.0)
    return Seat(
        centre_mm=(scale * z, scale * y, scale * side * x), volume_mm3=scale**3 * volume_mm3
    )


def _build(rng: np.random.Generator, seat: Seat, *, scale: float) -> Build:
    side = float(np.sign(seat.centre_mm[2]))
    pushed_mm = 0.4 * max(0.0, seat.radius_mm / scale - 14.0)
    return Build(
        size=scale * rng.uniform(0.97, 1.05),
        fat_mm=rng.uniform(3.0, 9.0),
        vessel_hu=rng.uniform(110.0, 190.0),
        airway_shift_mm=-side * pushed_mm + rng.normal(0.0, 0.7),
    )


def _soften(canvas: Canvas, sigma_mm: float) -> None:
    """Blur borders in plane, as a voxel that holds two tissues does."""
    for axis in (1, 2):
        sigma = sigma_mm / canvas.grid.spacing_mm[axis]
        gaussian_filter1d(canvas.hu, sigma, axis=axis, output=canvas.hu, truncate=3.0)


def _noise(
    rng: np.random.Generator, grid: Grid, *, kernel_mm: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Gaussian noise of unit variance; a symmetric kernel keeps mirror images alike."""
    noise = rng.standard_normal(grid.shape, dtype=np.float32)
    for axis, width_mm in enumerate(kernel_mm):
        if width_mm:
            sigma = width_mm / grid.spacing_mm[axis]
            gaussian_filter1d(noise, sigma, axis=axis, output=noise, truncate=3.0)
    return np.asarray(noise / noise.std())
