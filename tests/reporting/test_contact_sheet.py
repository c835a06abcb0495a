from pathlib import Path

import numpy as np
import pytest
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


@pytest.mark.parametrize(
    "title", ["P$1", "$x^$", "P_1^2", r"$\frac{$", "Пациент-1", "患者１", "مريض"]
)
def test_an_id_is_drawn_as_it_stands_and_in_silence(
    title: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Warnings are errors here, as mathematics that nobody closes is.
    write_sheets([tile(title), Tile(title="P2", note=title, outlines={})], tmp_path)
    assert capfd.readouterr() == ("", "")


def test_dollars_in_an_id_are_drawn(tmp_path: Path) -> None:
    # As mathematics "$a$" would be the narrower "a" and the picture that of another id.
    with_dollars = imread(write_sheets([tile("$a$")], tmp_path / "1")[0])
    without = imread(write_sheets([tile("a")], tmp_path / "2")[0])
    ink = [(page[:60, :, :3].min(axis=-1) < 0.5).sum() for page in (with_dollars, without)]
    assert ink[0] > 2 * ink[1]
