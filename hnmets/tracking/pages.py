"""What MLflow's pages show of an experiment before anybody has typed or clicked.

By itself the run table of MLflow 3.17 shows no number, lists folds among rungs, and draws every
metric of the first ten runs. A saved view, which its pages keep as a tag of the experiment, has
columns, order, filter and charts; it also stands in the menu `Views` of a bare `mlflow ui`.
"""

import json

from hnmets.tracking.naming import HEADLINE, Kind

VIEW = "which-modality-helps"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
VIEW_NAME = "Which modality helps"
# 2026-01-01T00:00Z: equal views have equal tags.
_MADE_MS = 1_767_225_600_000
_METRICS = (
    HEADLINE,
    f"{HEADLINE}_low",
    f"{HEADLINE}_high",
    f"delta_{HEADLINE}",
    f"delta_{HEADLINE}_low",
    f"delta_{HEADLINE}_high",
    "average_precision",
    "sensitivity",
    "specificity",
    "calibration_slope",
)
_CHARTS = (HEADLINE, f"delta_{HEADLINE}", "calibration_slope")
# As many bars as one chart can show; a ladder with every feature set has fewer rungs.
_MOST_BARS = 20
_NAME_COLUMN, _DATE_COLUMN = "attributes.`Run Name`", "runDateAndNestInfo"


def experiment_tags() -> dict[str, str]:
    """Return what an experiment carries for the pages."""
    view = {"name": VIEW_NAME, "createdAt": _MADE_MS, "state": json.dumps(_state())}
    return {
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": HEADLINE,
        "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
        VIEW_TAG: json.dumps(view),
    }


def table_of(address: str, experiment: int) -> str:
    """Return the address of an experiment's rungs, the best one first.

    Examples
    --------
    >>> table_of("http://127.0.0.1:5000", 1).partition("?")[0]
    'http://127.0.0.1:5000/#/experiments/1/runs'
    """
    # Without its second part MLflow leads to its pages for chat programs.
    query = f"viewStateShareKey={VIEW}&workflowType=machine_learning"
    return f"{address}/#/experiments/{experiment}/runs?{query}"


def _state() -> dict[str, object]:
    columns = [_column(name) for name in _METRICS]
    return {
        "searchFilter": f"tags.kind = '{Kind.RUNG}'",
        "orderByKey": _column(HEADLINE),
        "orderByAsc": False,
        "selectedColumns": columns,
        "columnOrder": [_NAME_COLUMN, _DATE_COLUMN, *columns, "duration"],
        "columnWidths": {_NAME_COLUMN: 280, _DATE_COLUMN: 130},
        "runsHiddenMode": "FIRST_20_RUNS",
        "compareRunCharts": [_bars(name) for name in _CHARTS],
        "compareRunSections": [
            {"uuid": VIEW, "name": VIEW_NAME, "display": True, "isReordered": False}
        ],
    }


def _column(metric: str) -> str:
    return f"metrics.`{metric}`"


def _bars(metric: str) -> dict[str, object]:
    return {
        "type": "BAR",
        "uuid": metric,
        "metricKey": metric,
        "metricSectionId": VIEW,
        "runsCountToCompare": _MOST_BARS,
        "deleted": False,
        "isGenerated": False,
    }
