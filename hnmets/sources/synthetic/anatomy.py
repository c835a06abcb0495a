"""Organs of the neck, drawn as stacks of ellipses."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hnmets.sources.synthetic.canvas import AIR_HU, Canvas


class Organ(IntEnum):
    """Labels of the organ map; the body is every voxel that is not 0."""

    FAT = 1
    SOFT_TISSUE = 2
    MUSCLE = 3
    VESSEL = 4
    PAROTID_GLAND = 5
    SUBMANDIBULAR_GLAND = 6
    AIRWAY = 7
    MANDIBLE = 8
    VERTEBRA = 9
    SPINAL_CORD = 10


Knot = tuple[float, float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Tube:
    """A stack of ellipses along z.

    Parameters
    ----------
    knots
        (z, centre x, centre y, radius x, radius y) in mm, z rising; linear in between.
    paired
        Drawn on both sides of the midline.
    back_mm
        Nothing is drawn behind this y: opens the arch of the jaw.
    """

    organ: Organ
    hu: float
    knots: tuple[Knot, ...]
    paired: bool = False
    back_mm: float = np.inf


@dataclass(frozen=True, kw_only=True)
class Build:
    """How one patient differs from the drawing.

    Parameters
    ----------
    size
        All lengths relative to the drawing.
    fat_mm
        Thickness of the fat below the skin.
    vessel_hu
        Contrast medium in the vessels.
    airway_shift_mm
        Along x; a large tumour pushes the airway aside.
    """

    size: float
    fat_mm: float
    vessel_hu: float
    airway_shift_mm: float


# Symmetric about x = 0, so that the anatomy cannot tell the classes of the spatial pattern.
_BODY: tuple[Knot, ...] = (
    (-90, 0, 14, 112, 64),
    (-74, 0, 13, 92, 64),
    (-52, 0, 13, 74, 64),
    (-12, 0, 14, 76, 72),
    (14, 0, 6, 80, 88),
    (30, 0, 2, 81, 94),
    (90, 0, 2, 81, 98),
)
_AIRWAY: tuple[Knot, ...] = (
    (-90, 0, -14, 9, 9),
    (-45, 0, -16, 8, 10),
    (-28, 0, -16, 6, 12),
    (-10, 0, -10, 12, 7),
    (35, 0, -8, 12, 6),
    (60, 0, -10, 11, 10),
    (90, 0, -18, 13, 16),
)
# Behind this line the jaw, the hyoid bone and the thyroid cartilage are open.
_ARCH_BACK_MM = -14.0


def _organs(build: Build) -> tuple[Tube, ...]:
    """All organs, later ones over earlier ones."""
    inner = tuple((z, x, y, a - build.fat_mm, b - build.fat_mm) for z, x, y, a, b in _BODY)
    return (
        Tube(organ=Organ.FAT, hu=-105, knots=_BODY),
        Tube(organ=Organ.SOFT_TISSUE, hu=-60, knots=inner),
        *_muscles_and_glands(),
        *_jaw(),
        *_throat(build.airway_shift_mm),
        *_spine(),
        *_vessels(build.vessel_hu),
    )


def _muscles_and_glands() -> tuple[Tube, ...]:
    muscles: tuple[tuple[Knot, ...], ...] = (
        ((-90, 22, 52, 20, 14), (0, 20, 62, 17, 15), (90, 20, 70, 17, 18)),  # semispinalis
        ((-90, 50, 46, 30, 9), (-30, 44, 56, 17, 8), (40, 36, 76, 16, 6)),  # trapezius, splenius
        ((-90, 42, 30, 11, 9), (30, 34, 40, 9, 10), (90, 30, 46, 8, 10)),  # scalenes, levator
        ((-90, 20, -22, 10, 6), (-40, 44, 4, 13, 7), (20, 58, 30, 8, 11)),  # sternocleidomastoid
        ((-90, 10, 18, 9, 4), (80, 9, 18, 8, 4)),  # longus colli
        ((-90, 8, -34, 7, 4), (-20, 9, -38, 7, 4)),  # strap muscles
        ((34, 60, -14, 7, 14), (62, 63, -12, 8, 18), (90, 62, -10, 6, 14)),  # masseter
        ((36, 38, -10, 7, 10), (66, 36, -8, 8, 12)),  # pterygoid
        ((-8, 14, -44, 9, 10), (20, 16, -60, 12, 14)),  # digastric, mylohyoid
    )
    parotid: tuple[Knot, ...] = ((18, 62, 10, 6, 8), (40, 63, 6, 10, 18), (66, 62, 4, 6, 10))
    submandibular: tuple[Knot, ...] = (
        (0, 38, -30, 5, 6),
        (12, 38, -34, 9, 12),
        (24, 36, -36, 5, 6),
    )
    return (
        *(Tube(organ=Organ.MUSCLE, hu=58, paired=True, knots=knots) for knots in muscles),
        Tube(organ=Organ.PAROTID_GLAND, hu=-8, paired=True, knots=parotid),
        Tube(organ=Organ.SUBMANDIBULAR_GLAND, hu=38, paired=True, knots=submandibular),
    )


def _jaw() -> tuple[Tube, ...]:
    """Draw the arch of the jaw with its marrow, the rami, and the tongue inside."""
    arch = (
        (Organ.MANDIBLE, 900.0, ((22, 0, -14, 52, 66), (54, 0, -14, 54, 68))),
        (Organ.MANDIBLE, 320.0, ((25, 0, -14, 49, 63), (51, 0, -14, 51, 65))),
        (Organ.MANDIBLE, 900.0, ((25, 0, -14, 45, 58), (51, 0, -14, 47, 60))),
        (Organ.SOFT_TISSUE, -50.0, ((21.9, 0, -14, 42, 55), (54.1, 0, -14, 44, 57))),
    )
    ramus: tuple[Knot, ...] = ((40, 52, -6, 4, 14), (90, 56, -2, 4, 12))
    tongue: tuple[Knot, ...] = ((-6, 0, -32, 12, 14), (24, 0, -40, 30, 30), (54, 0, -38, 34, 34))
    return (
        *(Tube(organ=o, hu=hu, knots=knots, back_mm=_ARCH_BACK_MM) for o, hu, knots in arch),
        Tube(organ=Organ.MANDIBLE, hu=800, paired=True, knots=ramus),
        Tube(organ=Organ.MUSCLE, hu=56, knots=tongue),
    )


def _throat(airway_shift_mm: float) -> tuple[Tube, ...]:
    """Hyoid bone and thyroid cartilage around the wall of the airway."""
    airway = tuple((z, x + airway_shift_mm, y, a, b) for z, x, y, a, b in _AIRWAY)
    wall = tuple((z, x, y, a + 5, b + 5) for z, x, y, a, b in airway)
    cartilage = ((-50, 0, -14, 15, 21), (-22, 0, -14, 19, 23))
    within = ((-50, 0, -14, 12, 18), (-22, 0, -14, 16, 20))
    back = _ARCH_BACK_MM
    return (
        Tube(organ=Organ.SOFT_TISSUE, hu=170, knots=cartilage, back_mm=back),
        Tube(organ=Organ.SOFT_TISSUE, hu=30, knots=within, back_mm=back),
        Tube(organ=Organ.SOFT_TISSUE, hu=52, knots=wall),
        Tube(organ=Organ.AIRWAY, hu=AIR_HU, knots=airway),
    )


def _spine() -> tuple[Tube, ...]:
    """Bodies with a cortex, gaps for the discs, arches and spines around the canal."""
    tubes = []
    for bottom in range(-90, 90, 19):
        top = min(bottom + 14, 90)
        parts = (
            (620.0, (0.0, 33.0, 14.0, 11.0)),
            (260.0, (0.0, 33.0, 12.0, 9.0)),
            (480.0, (0.0, 53.0, 15.0, 12.0)),
            (420.0, (0.0, 74.0, 3.0, 13.0)),
        )
        for hu, (x, y, a, b) in parts:
            knots = tuple((float(z), x, y, a, b) for z in (bottom, top))
            tubes.append(Tube(organ=Organ.VERTEBRA, hu=hu, knots=knots))
    disc: tuple[Knot, ...] = ((-90, 0, 33, 13, 10), (90, 0, 33, 13, 10))
    canal: tuple[Knot, ...] = ((-90, 0, 53, 11, 8), (90, 0, 53, 11, 8))
    cord: tuple[Knot, ...] = ((-90, 0, 53, 6, 5), (90, 0, 53, 6, 5))
    return (
        Tube(organ=Organ.SOFT_TISSUE, hu=85, knots=disc),
        *tubes,
        Tube(organ=Organ.SPINAL_CORD, hu=15, knots=canal),
        Tube(organ=Organ.SPINAL_CORD, hu=38, knots=cord),
    )


def _vessels(hu: float) -> tuple[Tube, ...]:
    """Carotid arteries and jugular veins."""
    carotid: tuple[Knot, ...] = ((-90, 22, 4, 4, 4), (0, 28, 21, 4, 4), (90, 26, 22, 3, 3))
    jugular: tuple[Knot, ...] = ((-90, 32, 6, 6, 5), (0, 40, 25, 6, 5), (90, 34, 28, 4, 4))
    return (
        Tube(organ=Organ.VESSEL, hu=hu, paired=True, knots=carotid),
        Tube(organ=Organ.VESSEL, hu=0.85 * hu, paired=True, knots=jugular),
    )


def paint(canvas: Canvas, build: Build) -> None:
    """Draw the organs of one patient, with sharp borders."""
    for tube in _organs(build):
        for side in (1.0, -1.0) if tube.paired else (1.0,):
            _paint_tube(canvas, tube, side=side, size=build.size)


def _paint_tube(canvas: Canvas, tube: Tube, *, side: float, size: float) -> None:
    z, x, y, a, b = size * np.array(tube.knots, dtype=np.float32).T
    x = side * x
    box = canvas.grid.box(
        (z[0], (y - b).min(), (x - a).min()),
        (z[-1], min((y + b).max(), size * tube.back_mm), (x + a).max()),
    )
    x, y, a, b = (np.interp(box.z_mm, z, knot).astype(np.float32) for knot in (x, y, a, b))
    inside = ((box.x_mm - x) / a) ** 2 + ((box.y_mm - y) / b) ** 2 <= 1.0
    # The fat comes first and makes the body; everything else is cut at its skin.
    if tube.organ is not Organ.FAT:
        inside &= canvas.organs[box.slices] > 0
    canvas.organs[box.slices][inside] = tube.organ
    canvas.hu[box.slices][inside] = tube.hu
