"""Figures as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hnmets.reporting.canvas import NoFigure, house_style, image_bytes
from hnmets.reporting.catalog import CHARTS
from hnmets.reporting.findings import Findings


def figure_bytes(
    findings: Findings, name: str, kind: Literal["svg", "png"] = "svg"
) -> bytes | NoFigure:
    """Return one figure of the catalog as a file's content, or why it cannot be drawn."""
    with house_style():
        figure = CHARTS[name].draw(findings)
    return figure if isinstance(figure, NoFigure) else image_bytes(figure, kind)


def write_figures(
    findings: Findings, folder: Path, kinds: Sequence[Literal["svg", "png"]] = ("svg", "png")
) -> list[Path]:
    """Write every figure that can be drawn; what cannot be drawn has its reason in the report."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, chart in CHARTS.items():
        with house_style():
            figure = chart.draw(findings)
        if isinstance(figure, NoFigure):
            continue
        for kind in kinds:
            files.append(folder / f"{name}.{kind}")
            files[-1].write_bytes(image_bytes(figure, kind))
    return files
