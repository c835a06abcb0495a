"""Lymph node metastases beside the tumour."""

import numpy as np

from hnmets.sources.synthetic.canvas import GTV_NODES, Canvas
from hnmets.sources.synthetic.tumour import INFILTRATION_MM, Seat

NODE_HU, _NODE_TEXTURE_HU = 66.0, 10.0
_NODES_BY_STAGE = {"N0": 0, "N1": 1, "N2": 2, "N3": 2}
_RADII_MM = {"N1": (6.0, 10.0), "N2": (6.0, 11.0), "N3": (11.0, 14.0)}
# (z, y, distance from the midline) along the jugular vein, mm; the tumour's side comes first.
_LEVELS_MM = (
    (14.0, 22.0, 48.0),
    (-12.0, 20.0, 46.0),
    (-44.0, 14.0, 42.0),
    (-66.0, 12.0, 40.0),
    (-62.0, 30.0, 52.0),
)


def draw_nodes(
    rng: np.random.Generator,
    *,
    canvas: Canvas,
    seat: Seat,
    n_stage: str,
    size: float,
) -> None:
    """Draw the nodes of this stage, clear of the tumour and its ring; N0 has none.

    Parameters
    ----------
    size
        Lengths relative to the drawing of the anatomy.
    """
    wanted = _NODES_BY_STAGE[n_stage]
    side = np.sign(seat.centre_mm[2])
    for z, y, x in [(z, y, s * x) for s in (side, -side) for z, y, x in _LEVELS_MM]:
        if wanted == 0:
            return
        radius_mm = size * rng.uniform(*_RADII_MM[n_stage])
        centre_mm = (size * z, size * y, size * x)
        gap_mm = float(np.linalg.norm(np.subtract(centre_mm, seat.centre_mm)))
        # The lumpiest tumour reaches 1.3 radii; the ring and some tissue must fit between.
        if gap_mm > 1.3 * seat.radius_mm + 1.2 * radius_mm + INFILTRATION_MM + 2.0 * size:
            _draw_node(rng, canvas=canvas, centre_mm=centre_mm, radius_mm=radius_mm)
            wanted -= 1


def _draw_node(
    rng: np.random.Generator,
    *,
    canvas: Canvas,
    centre_mm: tuple[float, float, float],
    radius_mm: float,
) -> None:
    box = canvas.grid.around(centre_mm, 1.3 * radius_mm)
    z, y, x = centre_mm
    inside = ((box.z_mm - z) / 1.2) ** 2 + (box.y_mm - y) ** 2 + (
        box.x_mm - x
    ) ** 2 <= radius_mm**2
    inside &= canvas.organs[box.slices] > 0
    texture = _NODE_TEXTURE_HU * rng.standard_normal(int(inside.sum()))
    canvas.hu[box.slices][inside] = NODE_HU + texture
    canvas.gtv[box.slices][inside] = GTV_NODES
