"""A package as an MLflow model: `mlflow models serve` runs it as it is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import INVALID_PARAMETER_VALUE, MlflowException
from mlflow.pyfunc import PythonModel

from hnmets.domain.errors import InvalidDataError
from hnmets.registry.inputs import InputTable
from hnmets.registry.prediction import CASE_ID, as_row
from hnmets.registry.predictor import Asked, Predictor
from hnmets.registry.training_ids import read_key

PACKAGE = "package"
KEY_VARIABLE = "HNMETS_TRAINING_KEY"


class PackageModel(PythonModel):  # type: ignore[misc]  # MLflow has no types
    """The model that MLflow loads; all that it knows lies in the package."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401 - MLflow's
        """Open the package, every file of it compared with its digest."""
        file = os.environ.get(KEY_VARIABLE)
        key = read_key(Path(file)) if file else None
        self.predictor = Predictor.load(Path(context.artifacts[PACKAGE]), key=key)

    def predict(
        self,
        context: Any,  # noqa: ANN401, ARG002 - MLflow's
        model_input: pd.DataFrame,
        params: Mapping[str, Any] | None = None,  # Any: MLflow's
    ) -> pd.DataFrame:
        """Answer one row per case.

        Parameters
        ----------
        model_input
            Columns by name, in any order; `case_id` where the cases have one.
        params
            `members`: the risk by each member too. `contributions`: how many of the strongest.
        """
        wanted = dict(params or {})
        asked = Asked(
            contributions=int(wanted.get("contributions", 0)),
            members=bool(wanted.get("members", False)),
        )
        try:
            answers = self.predictor.predict(table_of(model_input), asked)
        except InvalidDataError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None
        return pd.DataFrame([as_row(answer) for answer in answers])


def table_of(frame: pd.DataFrame) -> InputTable:
    """Return the rows of a frame; rows without an id are called by their number."""
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    ids = columns.pop(CASE_ID, None) or [str(row) for row in range(1, len(frame) + 1)]
    return InputTable(case_ids=tuple(map(str, ids)), columns=columns)
