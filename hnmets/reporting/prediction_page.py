"""One patient's predicted risk as an HTML file that needs nothing else."""

from datetime import date

from markupsafe import Markup

from hnmets.registry.package import OpenPackage
from hnmets.registry.prediction import Prediction
from hnmets.reporting.templating import page_environment, template


def prediction_page(
    answer: Prediction, opened: OpenPackage, *, name: str, version: int, on: date
) -> str:
    """Return the page of a patient.

    Parameters
    ----------
    name, version
        Of the registered model.
    on
        Day of the prediction.
    """
    return (
        page_environment()
        .get_template("prediction.html.j2")
        .render(
            answer=answer,
            package=opened.package,
            card=opened.card,
            digest=opened.digest,
            name=name,
            version=version,
            made=on.isoformat(),
            style=Markup(template("style.css")),  # noqa: S704 - our own file
        )
    )
