"""The report as one HTML file that needs nothing else: no network, no scripts, no other files."""

from pathlib import Path

from markupsafe import Markup, escape

from feature_store.atomic import write_atomic
from feature_store.plain import escaped
from hnmets.reporting.canvas import NoFigure, house_style, inline_svg
from hnmets.reporting.catalog import CHARTS
from hnmets.reporting.few_events import CALIBRATION_NEEDS, few_events
from hnmets.reporting.findings import Findings
from hnmets.reporting.subgroup import SMALL_CELL
from hnmets.reporting.templating import page_environment, template
from hnmets.reporting.tripod import tripod_lines


def write_report(findings: Findings, file: Path, *, cases: bool = True) -> None:
    """Write the report; a kill leaves no half of it.

    Parameters
    ----------
    cases
        See `render`.

    Raises
    ------
    StoreFullError
        If the disk has no room.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, render(findings, cases=cases).encode())


def render(findings: Findings, *, cases: bool = True) -> str:
    """Return the document; equal findings give equal text.

    Every number that the findings hold stands in a `data` element, with its full precision as
    the `value`.

    Parameters
    ----------
    cases
        Whether cases may be named; the report that leaves the site names none.
    """
    shown = findings if cases else findings.anonymous
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            findings=shown,
            cases=cases,
            style=Markup(template("style.css")),  # noqa: S704 - our own file
            figures={name: _figure(shown, name) for name in CHARTS},
            few=few_events(shown),
            calibration_needs=CALIBRATION_NEEDS,
            small_cell=SMALL_CELL,
            tripod=tripod_lines(shown),
        )
    )


def _figure(findings: Findings, name: str) -> Markup:
    chart = CHARTS[name]
    with house_style():
        figure = chart.draw(findings)
    if isinstance(figure, NoFigure):
        return Markup('<p class="blank">{}: not shown. {}.</p>').format(
            chart.title, escaped(figure.reason)
        )
    picture = inline_svg(figure, name).replace(
        "<svg", f'<svg role="img" aria-label="{escape(chart.title)}"', 1
    )
    return Markup('<figure id="figure-{}">{}<figcaption>{}</figcaption></figure>').format(
        name,
        Markup(picture),  # noqa: S704 - matplotlib escapes the texts inside
        chart.reading,
    )
