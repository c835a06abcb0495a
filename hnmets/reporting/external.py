"""What a registered model is worth in patients of elsewhere, and the page that says so."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from markupsafe import Markup, escape

from feature_store.plain import escaped
from hnmets.evaluation.calibration import Calibration
from hnmets.evaluation.discrimination import Discrimination
from hnmets.evaluation.estimate import Measured, NotEstimable, measured_json
from hnmets.evaluation.operating_point import OperatingPoint
from hnmets.evaluation.predictions import Predictions
from hnmets.registry.package import Package
from hnmets.registry.versions import Version
from hnmets.reporting.calibration_figure import draw_curve
from hnmets.reporting.canvas import NoFigure, house_style, inline_svg
from hnmets.reporting.curves import CalibrationPoints, RiskHistogram
from hnmets.reporting.subgroup import SMALL_CELL, SubgroupRow
from hnmets.reporting.templating import page_environment, template

_FIGURE = "Calibration elsewhere"


@dataclass(frozen=True, kw_only=True)
class External:
    """What a model is worth elsewhere.

    Parameters
    ----------
    study
        Name of the other study.
    cases
        Digest of its patients and their outcomes: what the look was at.
    looks
        How often its patients were looked at, this time included.
    reason
        Why they were looked at again; empty the first time.
    equal_ids
        Why those with the ids of training patients are other people; empty where nobody has one.
    refused
        Why the model said nothing of a case, with counts.
    flags
        Warnings by code, with counts.
    """

    version: Version
    package: Package
    study: str
    cases: str
    looks: int
    reason: str
    predictions: Predictions
    discrimination: Discrimination
    operating_point: OperatingPoint
    calibration: Calibration
    subgroups: tuple[SubgroupRow, ...]
    refused: Mapping[str, int]
    flags: Mapping[str, int]
    equal_ids: str = ""

    @property
    def measures(self) -> dict[str, Measured]:
        """The numbers, headline first."""
        point, fit = self.operating_point, self.calibration
        return {
            "auc": self.discrimination.auc,
            "average_precision": self.discrimination.average_precision,
            "sensitivity": point.sensitivity,
            "specificity": point.specificity,
            "ppv": point.ppv,
            "npv": point.npv,
            "accuracy": point.accuracy,
            "calibration_slope": fit.slope,
            "calibration_intercept": fit.intercept,
            "observed_expected": fit.observed_expected,
            "brier": fit.brier,
        }

    def as_json(self) -> dict[str, object]:
        """Return everything as a JSON object; small groups are hidden in it too."""
        return {
            "version": self.version.number,
            "package": self.version.package,
            "rung": self.package.rung,
            "study": self.study,
            "looks": self.looks,
            "equal_ids": self.equal_ids,
            "patients": self.predictions.n,
            "events": self.predictions.events,
            "threshold": self.package.threshold,
            "measures": {name: measured_json(each) for name, each in self.measures.items()},
            "subgroups": [asdict(row) for row in self.subgroups],
            "refused": dict(self.refused),
            "flags": dict(self.flags),
        }


def external_page(found: External, *, model: str, on: date) -> str:
    """Return the page of an external validation, one file that needs nothing else.

    Parameters
    ----------
    model
        Registered name.
    on
        Day of the look.
    """
    return (
        page_environment()
        .get_template("external.html.j2")
        .render(
            found=found,
            model=model,
            made=on.isoformat(),
            figure=_figure(found),
            small_cell=SMALL_CELL,
            style=Markup(template("style.css")),  # noqa: S704 - our own file
        )
    )


def _figure(found: External) -> Markup:
    curve = found.calibration.curve
    points = curve if isinstance(curve, NotEstimable) else CalibrationPoints.of(curve)
    with house_style():
        figure = draw_curve(
            points, RiskHistogram.of(found.predictions), name=f"{found.package.rung}, as it is"
        )
    if isinstance(figure, NoFigure):
        return Markup('<p class="blank">{}: not shown. {}.</p>').format(
            _FIGURE, escaped(figure.reason)
        )
    picture = inline_svg(figure, "external").replace(
        "<svg", f'<svg role="img" aria-label="{escape(_FIGURE)}"', 1
    )
    return Markup("<figure>{}</figure>").format(Markup(picture))  # noqa: S704 - matplotlib escapes
