"""MLflow's own web application, for whoever puts something around it."""

from typing import Any


def mlflow_app() -> Any:  # noqa: ANN401 - an ASGI application
    """Return all of it: FastAPI's routes, and those of Flask mounted behind them.

    It reads its settings from the variables that `mlflow server` sets for its processes.
    """
    from mlflow.server.fastapi_app import app

    return app
