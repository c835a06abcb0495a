from pathlib import Path

import numpy as np
from matplotlib.image import imread

from hnmets.reporting.contact_sheet import Tile, write_sheets


def tile(title: str) -> Tile:
    outline = np.zeros((30, 40), bool)
    outline[10:20, 10:30] = True
    return Tile(title=title, hu=np.full((30, 40), 40), outlines={"tumour": outline})


def test_twenty_cases_fill_a_page(tmp_path: Path) -> None:
    pages = write_sheets([tile(f"P{n}") for n in range(21)], tmp_path)
    assert [page.name for page in pages] == ["sheet-1.png", "sheet-2.png"]


def test_the_outline_is_drawn_in_the_colour_of_the_legend(tmp_path: Path) -> None:
    (page,) = write_sheets([tile("P1")], tmp_path)
    pixels = imread(page)[..., :3]
    red = (pixels[..., 0] > 0.9) & (pixels[..., 1] < 0.5) & (pixels[..., 2] < 0.5)
    rows, columns = np.nonzero(red)
    # A rectangle of 20 by 10 voxels, and the line in the legend.
    assert red.sum() > 100
    assert np.ptp(columns) > np.ptp(rows) * 0.5


def test_a_case_that_cannot_be_read_has_a_tile_that_says_why(tmp_path: Path) -> None:
    empty = Tile(title="P2", note="E_IMG_CORRUPT", outlines={})
    (page,) = write_sheets([tile("P1"), empty], tmp_path)
    assert imread(page).shape[0] > 100
