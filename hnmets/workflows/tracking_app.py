"""MLflow behind its guard: what the entry point `hnmets` in MLflow's group `mlflow.app` names."""

import logging
import os
import sys

from hnmets.serving.tracking_guard import TrackingGuard
from hnmets.serving.tracking_settings import TrackingSettings
from hnmets.tracking.mlflow_app import mlflow_app


def create_app() -> TrackingGuard:
    """Return the application of one process of `mlflow server --app-name hnmets`.

    Raises
    ------
    UsageError
        If there is no token: without one, nothing is served.
    """
    settings = TrackingSettings.of(os.environ)
    log = logging.getLogger("hnmets")
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.setLevel(logging.INFO)
    return TrackingGuard(mlflow_app(), settings)
