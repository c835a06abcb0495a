"""Contact sheet: one picture per case, so that a person sees where the masks lie."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_COLUMNS, _PAGE = 5, 20
REGION_COLOURS = {"tumour": "#ff5050", "nodes": "#40c8ff", "ring": "#ffd040"}
_COLOURS = ("#80ff80", "#ff80ff", "#ffffff", "#ff9040")
_WINDOW_HU = (-160, 240)
_TILE_INCH = 2.2
_NO_GLYPH = r"Glyph \d+|Matplotlib currently does not support"


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of a contact sheet.

    Parameters
    ----------
    title, note
        Above and below the picture.
    hu
        Array (H, W), HU; None where there is nothing to show and the note says why.
    outlines
        bool arrays (H, W) by name.
    spacing_mm
        Voxel size along (H, W), mm.
    """

    title: str
    note: str = ""
    hu: NDArray[np.generic] | None = None
    outlines: Mapping[str, NDArray[np.bool_]]
    spacing_mm: tuple[float, float] = (1.0, 1.0)


def write_sheets(tiles: Sequence[Tile], folder: Path) -> list[Path]:
    """Draw the tiles, twenty a page, into `sheet-1.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for tile in tiles for name in tile.outlines))
    others = [name for name in names if name not in REGION_COLOURS]
    colours = REGION_COLOURS | {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(others)}
    colours = {name: colours[name] for name in names}
    pages: list[Path] = []
    for start in range(0, len(tiles), _PAGE):
        pages.append(folder / f"sheet-{len(pages) + 1}.png")
        _draw(tiles[start : start + _PAGE], colours, pages[-1])
    return pages


def _draw(tiles: Sequence[Tile], colours: Mapping[str, str], file: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    figure = Figure(
        figsize=(columns * _TILE_INCH, rows * _TILE_INCH * 1.15 + 0.5), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, tile in zip(axes, tiles, strict=False):
        # Ids are no mathematics, whatever signs they hold.
        axis.set_title(tile.title, fontsize=8, parse_math=False)
        note = axis.text(0.5, -0.02, tile.note, fontsize=6, parse_math=False)
        note.set(ha="center", va="top", transform=axis.transAxes)
        if tile.hu is None:
            continue
        low, high = _WINDOW_HU
        aspect = tile.spacing_mm[0] / tile.spacing_mm[1]
        axis.imshow(tile.hu, cmap="gray", vmin=low, vmax=high, aspect=aspect)
        # The first region is drawn last: a ring shares its border.
        for name, mask in reversed(list(tile.outlines.items())):
            if mask.any() and not mask.all():
                axis.contour(mask, levels=[0.5], colors=[colours[name]], linewidths=0.8)
    keys = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=keys, loc="outside lower center", ncols=max(len(keys), 1), fontsize=8)
    with warnings.catch_warnings():
        # An id in a script that the font lacks is drawn as boxes; its picture is still right.
        warnings.filterwarnings("ignore", _NO_GLYPH, UserWarning)
        figure.savefig(file, dpi=130)
