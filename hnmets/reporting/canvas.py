"""The look that all figures share, and how a figure becomes SVG or PNG."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from feature_store.plain import escaped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# As wide as a phone shows it without shrinking the letters below 10 px; a desktop enlarges it.
WIDTH_INCH = 4.4
INK, MUTED, GRID = "#1a1a1a", "#5f5f5f", "#d9d9d9"
BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#aa4499"
PALE = "#9ecae1"
# Colour and dash together, so that a black-and-white print still tells the lines apart. Colours
# of Okabe and Ito; their purple is too pale for a thin line on white.
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))
_PNG_DPI = 200


@dataclass(frozen=True, kw_only=True)
class NoFigure:
    """Why there is nothing to draw."""

    reason: str


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save in the look of the reports."""
    import matplotlib as mpl

    with (
        mpl.rc_context(
            {
                "axes.axisbelow": True,
                "axes.edgecolor": MUTED,
                "axes.grid": True,
                "axes.labelcolor": INK,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.titlesize": 9,
                "font.size": 9,
                "grid.color": GRID,
                "grid.linewidth": 0.6,
                "legend.fontsize": 8.5,
                "legend.frameon": False,
                "svg.fonttype": "none",
                # Without it the ids inside differ from run to run.
                "svg.hashsalt": "hnmets",
                # A name with two dollar signs is a name, not a formula.
                "text.parse_math": False,
                "xtick.color": INK,
                "ytick.color": INK,
            }
        ),
        warnings.catch_warnings(),
    ):
        # The browser has fonts for every script, and it sets the text of an SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def canvas(height_inch: float) -> "Figure":
    """Return an empty figure of the common width."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_INCH, height_inch), layout="constrained")


def image_bytes(figure: "Figure", kind: Literal["svg", "png"]) -> bytes:
    """Return a figure as a file's content, the same for the same figure."""
    file = BytesIO()
    with house_style():
        if kind == "svg":
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(file, format="png", dpi=_PNG_DPI, metadata={"Software": None})
    return file.getvalue()


def inline_svg(figure: "Figure", name: str) -> str:
    """Return the `svg` element alone, scalable, with ids that no other figure has."""
    text = image_bytes(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    # In tags only: what people wrote stands between them.
    return re.sub(r"<[^>]*>", lambda tag: _with_own_ids(tag[0], name), text)


def _with_own_ids(tag: str, name: str) -> str:
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    return re.sub(r'(href="|url\()#', rf"\1#{name}-", tag)


def shortened(name: str, most: int = 34) -> str:
    """Cut a name that would run into its neighbour; control characters are written out.

    Examples
    --------
    >>> shortened("radiomics", most=5)
    'radi…'
    """
    name = escaped(name)
    return name if len(name) <= most else f"{name[: most - 1]}…"


def wrapped(name: str, most: int) -> str:
    r"""Break a name in two lines after a dot, dash or the like: many names begin alike.

    Parameters
    ----------
    most
        Letters of a line; what two lines cannot hold is cut.

    Examples
    --------
    >>> wrapped("radiomics.ring.original_glcm_Idn", most=24)
    'radiomics.ring.original_\nglcm_Idn'
    """
    name = escaped(name)
    if len(name) <= most:
        return name
    # The last separator of the first line, or where it ends.
    first = re.match(rf".{{1,{most}}}(?<=[._=\- ])|.{{{most}}}", name)
    end = first.end() if first else most
    return f"{name[:end]}\n{shortened(name[end:], most)}"
