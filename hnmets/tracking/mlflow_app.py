"""MLflow's own web application, for whoever puts something around it."""

import warnings
from typing import Any


def mlflow_app() -> Any:  # noqa: ANN401 - an ASGI application
    """Return all of it: FastAPI's routes, and those of Flask mounted behind them.

    It reads its settings from the variables that `mlflow server` sets for its processes.
    """
    with warnings.catch_warnings():
        # MLflow 3.17 stands on a part of Starlette that will go: theirs to mend.
        warnings.filterwarnings("ignore", message="starlette.middleware.wsgi is deprecated")
        from mlflow.server.fastapi_app import app

    return app
