"""Attribution maps over the CT, cut to the regions: figures and NIfTI files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from feature_store.atomic import write_atomic
from feature_store.plain import escaped
from hnmets.domain.geometry import Geometry
from hnmets.imaging.box import bounding_box, geometry_of, grown
from hnmets.reporting.canvas import INK, house_style, image_bytes
from hnmets.reporting.contact_sheet import REGION_COLOURS
from hnmets.sources.nifti_writer import write_nifti

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# The rim in which a map's weight is still the tumour's; a face is farther away.
MARGIN_MM = 10.0
# For the eye alone: single voxels of a gradient are noise.
_SMOOTHED_MM = 2.0
_PLANE_INCH = 2.2
_PLANES = ("axial", "coronal", "sagittal")
_OUTLINE = "#c0c0c0"


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """What is drawn of one case; all arrays on one grid.

    Parameters
    ----------
    title
        The study's case id.
    window
        float32 (D, H, W): the CT window as 0 to 1.
    maps
        float (D, H, W) by method, log odds per voxel.
    outlines
        bool (D, H, W) by region; `tumour` among them, not empty.
    geometry
        Of the arrays, LPS.
    """

    title: str
    window: NDArray[np.float32]
    maps: Mapping[str, NDArray[np.floating]]
    outlines: Mapping[str, NDArray[np.bool_]]
    geometry: Geometry

    def of_regions(self) -> "Picture":
        """Return the part around tumour and ring with a margin of 10 mm, and nothing more.

        A whole crop may show eyes and nose, by which a person is known again.

        Raises
        ------
        ValueError
            If the tumour has no voxel.
        """
        shown = np.any(
            [self.outlines[n] for n in ("tumour", "ring") if n in self.outlines], axis=0
        )
        tight = bounding_box(shown)
        if tight is None:
            raise ValueError("the tumour has no voxel to draw around")
        margin = ceil(MARGIN_MM / min(self.geometry.spacing_mm))
        box = grown(tight, margin, self.geometry.shape)
        return replace(
            self,
            window=self.window[box],
            maps={name: values[box] for name, values in self.maps.items()},
            outlines={name: mask[box] for name, mask in self.outlines.items()},
            geometry=geometry_of(box, self.geometry),
        )


@dataclass(frozen=True, kw_only=True)
class Plane:
    """One map in one plane, without letters: what is beside it says what it is.

    Parameters
    ----------
    method, plane
        Which map, and in which of the three planes.
    width_mm
        Of the part shown.
    png
        The drawing.
    """

    method: str
    plane: str
    width_mm: float
    png: bytes


def write_overlays(picture: Picture, folder: Path) -> list[Path]:
    """Write figure and NIfTI files of the regions' surroundings.

    Returns
    -------
    list of Path
        `overlay.png`, `ct.nii.gz` (the window in thousandths) and one file per map, unsmoothed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown = picture.of_regions()
    figure = folder / "overlay.png"
    write_atomic(figure, image_bytes(overlay_figure(picture), "png"))
    volumes = {"ct": np.rint(shown.window * 1000).astype(np.int16)}
    volumes |= {_slug(name): values.astype(np.float32) for name, values in shown.maps.items()}
    paths = [folder / f"{name}.nii.gz" for name in volumes]
    for path, voxels in zip(paths, volumes.values(), strict=True):
        write_nifti(path, voxels, shown.geometry)
    return [figure, *paths]


def planes_of(picture: Picture) -> list[Plane]:
    """Draw each map in each plane by itself, as `overlay_figure` does them together."""
    from matplotlib.figure import Figure

    shown = picture.of_regions()
    sides = np.multiply(shown.geometry.shape, shown.geometry.spacing_mm).tolist()
    planes = []
    for method, values in shown.maps.items():
        smooth, most = _smoothed(values, shown)
        for axis, plane in enumerate(_PLANES):
            down, across = (side for n, side in enumerate(sides) if n != axis)
            figure = Figure(figsize=(_PLANE_INCH, _PLANE_INCH * down / across))
            axes = figure.add_axes((0, 0, 1, 1))
            _draw_plane(axes, shown, smooth, axis=axis, most=most)
            png = image_bytes(figure, "png")
            planes.append(Plane(method=method, plane=plane, width_mm=across, png=png))
    return planes


def overlay_figure(picture: Picture) -> "Figure":
    """Draw each map in the three planes in which the tumour is largest, cut to the regions."""
    from matplotlib.figure import Figure

    shown = picture.of_regions()
    rows = max(len(shown.maps), 1)
    with house_style():
        figure = Figure(figsize=(3 * _PLANE_INCH, rows * _PLANE_INCH + 0.9), layout="constrained")
        note = f"maps smoothed by {_SMOOTHED_MM:g} mm for the eye"
        figure.suptitle(f"{escaped(shown.title)}, {note}", fontsize=9, parse_math=False)
        axes = figure.subplots(rows, 3, squeeze=False)
        for line, (name, values) in zip(axes, shown.maps.items(), strict=False):
            _draw_map(figure, line, name, values, shown)
        _draw_legend(figure, shown)
    return figure


def _draw_map(
    figure: "Figure",
    line: "NDArray[np.object_]",
    name: str,
    values: NDArray[np.floating],
    shown: Picture,
) -> None:
    smooth, most = _smoothed(values, shown)
    for axis, (plane, axes) in enumerate(zip(_PLANES, line, strict=True)):
        drawn = _draw_plane(axes, shown, smooth, axis=axis, most=most)
        axes.set_title(f"{name}, {plane}" if axis == 0 else plane, fontsize=8, parse_math=False)
    bar = figure.colorbar(drawn, ax=list(line), shrink=0.8, pad=0.01)
    bar.set_label("log odds per voxel", fontsize=7)
    bar.ax.tick_params(labelsize=6)
    bar.ax.yaxis.get_offset_text().set_fontsize(6)
    bar.ax.grid(visible=False)


def _smoothed(values: NDArray[np.floating], shown: Picture) -> tuple[NDArray[np.float64], float]:
    """Return a map as it is drawn, and the strength that has the full colour."""
    smooth = gaussian_filter(
        values.astype(np.float64), [_SMOOTHED_MM / mm for mm in shown.geometry.spacing_mm]
    )
    # One voxel in two hundred may be brighter than the scale goes.
    return smooth, float(np.quantile(np.abs(smooth), 0.995)) or 1.0


def _draw_plane(
    axes: "Axes", shown: Picture, smooth: NDArray[np.float64], *, axis: int, most: float
) -> "AxesImage":
    from matplotlib.colors import Normalize

    others = tuple(a for a in range(3) if a != axis)
    at = int(np.argmax(shown.outlines["tumour"].sum(axis=others)))
    axes.set_axis_off()
    # The first index of axial planes runs to the back, of the others to the head.
    origin: Literal["upper", "lower"] = "upper" if axis == 0 else "lower"
    picture = smooth.take(at, axis)
    axes.imshow(shown.window.take(at, axis), cmap="gray", vmin=0, vmax=1, origin=origin)
    drawn = axes.imshow(
        picture,
        # Its ends stay bright: what lies in air has to be seen on black.
        cmap="coolwarm",
        norm=Normalize(-most, most),
        alpha=np.clip(np.abs(picture) / most, 0, 1) * 0.75,
        origin=origin,
    )
    # The first region is drawn last: a ring shares its border.
    for region, mask in reversed(list(shown.outlines.items())):
        section = mask.take(at, axis)
        if section.any() and not section.all():
            colour = REGION_COLOURS.get(region, _OUTLINE)
            axes.contour(section, levels=[0.5], colors=[colour], linewidths=0.8)
    return drawn


def _draw_legend(figure: "Figure", shown: Picture) -> None:
    from matplotlib.lines import Line2D

    keys = [
        Line2D([], [], color=REGION_COLOURS.get(region, _OUTLINE), label=region)
        for region in shown.outlines
    ]
    figure.legend(
        handles=keys, loc="outside lower center", ncols=len(keys), fontsize=7, labelcolor=INK
    )


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
