"""An external validation as a run, beside the evaluation that its model comes from."""

import json
from datetime import datetime

from hnmets.reporting.external import External
from hnmets.tracking.base import Artifact, Dataset, NewRun, Status, Tracker
from hnmets.tracking.environment import Environment
from hnmets.tracking.naming import Kind, metrics_of, reasons_of

_DIGITS = 32


def log_external(  # noqa: PLR0913 - what the run says; all named
    tracker: Tracker,
    found: External,
    *,
    experiment: str,
    page: str,
    environment: Environment,
    at: datetime,
) -> str:
    """Log what a model is worth elsewhere; return the key of the run.

    Parameters
    ----------
    experiment
        Name of the model's study.
    page
        See `external_page`.
    """
    version = str(found.version.number)
    told = {"view": found.package.rung, "study": found.study, "version": version}
    key = tracker.start(
        NewRun(
            experiment=experiment,
            name=f"version {version} on {found.study}, look {found.looks}",
            at=at,
            tags={
                "kind": Kind.EXTERNAL.value,
                **told,
                "package": found.version.package,
                "evaluated_in": found.package.lineage.run,
                "look": str(found.looks),
                **({"again": found.reason} if found.reason else {}),
                **reasons_of(found.measures),
                **environment.tags,
            },
            params=told,
            dataset=Dataset(
                name="external",
                digest=found.cases[:_DIGITS],
                description={"cases": found.predictions.n, "events": found.predictions.events},
            ),
        )
    )
    tracker.log_metrics(key, metrics_of(found.measures), at=at)
    content = json.dumps(found.as_json(), indent=1, allow_nan=False).encode()
    tracker.log_artifact(key, Artifact(name="external.json", content=content))
    tracker.log_artifact(key, Artifact(name="external.html", content=page.encode()))
    tracker.end(key, Status.FINISHED, at=at)
    return key
