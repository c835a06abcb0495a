"""The tumour: its outline, its texture, its diagonal lobes, and how it infiltrates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.special import expit

from hnmets.sources.synthetic.anatomy import Organ
from hnmets.sources.synthetic.canvas import GTV_TUMOUR, Canvas
from hnmets.sources.synthetic.field import gaussian_field, rank_map
from hnmets.sources.synthetic.grid import Box
from hnmets.sources.synthetic.person import Latents

SMALLEST_CC, LARGEST_CC = 5.0, 60.0
TUMOUR_HU, TUMOUR_SD_HU = 70.0, 28.0
LOBE_BLUR_MM, LOBE_JITTER_RAD = 4.0, 0.2
_RIM_MM, _RIM_FADES_MM, _RIM_LEVEL = 1.5, 3.0, 0.7
INFILTRATION_MM, INFILTRATED_HU = 6.0, 58.0
_SPARED = (0, Organ.AIRWAY, Organ.MANDIBLE, Organ.VERTEBRA)


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where the tumour sits and how large it is.

    Parameters
    ----------
    centre_mm
        (z, y, x) on the grid of the case.
    volume_mm3
        Volume of the GTV.
    """

    centre_mm: tuple[float, float, float]
    volume_mm3: float

    @property
    def radius_mm(self) -> float:
        """Radius of the ball of this volume."""
        return float(np.cbrt(self.volume_mm3 * 3.0 / (4.0 * np.pi)))


def volume_cc(volume_latent: float) -> float:
    """GTV at full scale: rises with the latent, between 5 and 60 cc, median 17.3.

    Examples
    --------
    >>> round(volume_cc(0.0), 1)
    17.3
    """
    middle = np.log(SMALLEST_CC * LARGEST_CC) / 2.0
    half_range = np.log(LARGEST_CC / SMALLEST_CC) / 2.0
    return float(np.exp(middle + half_range * np.tanh(0.5 * volume_latent)))


def texture_length_mm(texture_latent: float) -> float:
    """Correlation length of the texture at full scale; 2 mm is the voxel it was designed on.

    Examples
    --------
    >>> round(texture_length_mm(0.0), 2)
    2.21
    """
    return float(2.0 * np.exp(0.1 + 0.25 * texture_latent))


def outline(
    rng: np.random.Generator, *, box: Box, seat: Seat, voxel_mm3: float
) -> NDArray[np.bool_]:
    """Draw a lumpy, star-shaped (hence connected) tumour of exactly this volume.

    Returns
    -------
    NDArray
        bool (D, H, W) on the box.
    """
    dz, dy, dx = _offsets(box, seat.centre_mm)
    distance = np.sqrt(dz**2 + dy**2 + dx**2)
    distance = np.maximum(distance, 1e-3)
    uz, uy, ux = dz / distance, dy / distance, dx / distance
    lumps = (ux**2 - uy**2, 3.0 * uz**2 - 1.0, ux * uy, ux * uz, uy * uz, ux * uy * uz)
    size = np.array([0.10, 0.06, 0.12, 0.15, 0.15, 0.6]) * rng.standard_normal(6)
    reach = 1.0 + sum(amount * lump for amount, lump in zip(size, lumps, strict=True))
    depth = (distance / np.clip(reach, 0.75, 1.3)).ravel()
    count = max(1, round(seat.volume_mm3 / voxel_mm3))
    inside = np.zeros(depth.size, dtype=bool)
    inside[np.argsort(depth, kind="stable")[:count]] = True
    return inside.reshape(box.shape)


def lobes(*, box: Box, seat: Seat, angle_rad: float) -> NDArray[np.float64]:
    """Distance to the nearer of two lobes on one diagonal, in tumour radii.

    The classes of the spatial pattern are angles of +45° and −45° (with some jitter): mirror
    images, point-symmetric. What sees neither left from right nor front from back cannot tell
    them apart.

    Parameters
    ----------
    angle_rad
        Of the lobes' axis in the axial plane, from x (left) towards y (back).

    Returns
    -------
    NDArray
        float64 (D, H, W) on the box.
    """
    dz, dy, dx = _offsets(box, seat.centre_mm)
    reach_mm = 0.5 * seat.radius_mm
    shift_x, shift_y = reach_mm * np.cos(angle_rad), reach_mm * np.sin(angle_rad)
    ahead = (dx - shift_x) ** 2 + (dy - shift_y) ** 2 + dz**2
    behind = (dx + shift_x) ** 2 + (dy + shift_y) ** 2 + dz**2
    return np.asarray(np.sqrt(np.minimum(ahead, behind)) / seat.radius_mm)


def lobed_hu(
    nearness: NDArray[np.float64],
    *,
    depth_mm: NDArray[np.float64],
    blur: NDArray[np.float64],
    texture: NDArray[np.float64],
) -> NDArray[np.float64]:
    """HU of tumour voxels: dark lobes with blurred borders in a plain rim, under a texture.

    Whatever the pattern, the histogram is the same. The rim hides it from wavelets: the mean of
    a high-pass band over a mask is made at its border alone, and the filters of coif1, not quite
    symmetric, tell the diagonals apart there (AUC 0.70 for the class without the rim, 0.51 with
    it; 300 cases, HHL band at 1 mm).

    Parameters
    ----------
    depth_mm
        Distance to the border of the tumour, at full scale.
    """
    border = nearness - 0.38 + 0.12 * blur
    shown = np.clip((depth_mm - _RIM_MM) / _RIM_FADES_MM, 0.0, 1.0)
    pattern = shown * np.tanh(3.0 * border) + (1.0 - shown) * _RIM_LEVEL
    return rank_map(2.2 * pattern + texture, mean_hu=TUMOUR_HU, sd_hu=TUMOUR_SD_HU)


def infiltrate(
    rng: np.random.Generator,
    *,
    canvas: Canvas,
    box: Box,
    inside: NDArray[np.bool_],
    ring_latent: float,
) -> None:
    """Let the tumour grow into the tissue around it, in patches.

    The latent sets the share of the surrounding 6 mm that is infiltrated; air and bone are
    spared. The rest is fat and oedema, whatever lay there: so the ring tells of infiltration
    more than of the site.
    """
    spacing_mm = canvas.grid.spacing_mm
    distance_mm = distance_transform_edt(~inside, sampling=spacing_mm)
    soft = ~np.isin(canvas.organs[box.slices], _SPARED) & (canvas.gtv[box.slices] == 0)
    near = soft & (distance_mm > 0.0) & (distance_mm <= INFILTRATION_MM)
    field = gaussian_field(rng, shape=box.shape, spacing_mm=spacing_mm, length_mm=2.5)
    # Closer to the tumour first, else as the field has it; patches have soft borders.
    eagerness = (field - distance_mm / 4.0)[near]
    if eagerness.size:
        limit = np.quantile(eagerness, 1.0 - infiltrated_share(ring_latent))
        grown = expit(6.0 * (eagerness - limit))
        tissue = 0.35 * canvas.hu[box.slices][near] - 20.0
        canvas.hu[box.slices][near] = tissue + grown * (INFILTRATED_HU - tissue)


def infiltrated_share(ring_latent: float) -> float:
    """Share of the tissue around the tumour that it has grown into.

    Examples
    --------
    >>> round(infiltrated_share(0.0), 2)
    0.35
    """
    return float(expit(0.9 * ring_latent - 0.6))


def grow(
    rng: np.random.Generator, *, canvas: Canvas, seat: Seat, latents: Latents, scale: float
) -> None:
    """Draw the primary tumour and what it infiltrates.

    Parameters
    ----------
    scale
        Size of the body: texture shrinks with the tumour, infiltration stays in mm because
        the ring in which it is measured does.
    """
    grid = canvas.grid
    box = grid.around(seat.centre_mm, 1.5 * seat.radius_mm + INFILTRATION_MM)
    inside = outline(rng, box=box, seat=seat, voxel_mm3=float(np.prod(grid.spacing_mm)))
    fields = (
        gaussian_field(rng, shape=box.shape, spacing_mm=grid.spacing_mm, length_mm=scale * length)
        for length in (LOBE_BLUR_MM, texture_length_mm(latents.texture))
    )
    blur, texture = fields
    infiltrate(rng, canvas=canvas, box=box, inside=inside, ring_latent=latents.ring)
    angle_rad = latents.spatial * np.pi / 4.0 + rng.normal(0.0, LOBE_JITTER_RAD)
    nearness = lobes(box=box, seat=seat, angle_rad=angle_rad)
    depth_mm = distance_transform_edt(inside, sampling=grid.spacing_mm) / scale
    canvas.hu[box.slices][inside] = lobed_hu(
        nearness[inside], depth_mm=depth_mm[inside], blur=blur[inside], texture=texture[inside]
    )
    canvas.gtv[box.slices][inside] = GTV_TUMOUR


def _offsets(
    box: Box, centre_mm: tuple[float, float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    z, y, x = centre_mm
    return (
        box.z_mm.astype(np.float64) - z,
        box.y_mm.astype(np.float64) - y,
        box.x_mm.astype(np.float64) - x,
    )
