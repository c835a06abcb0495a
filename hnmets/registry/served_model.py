"""What MLflow runs to make the model; a copy of this file lies in every registered model.

MLflow takes what `set_model` was given last: here an import does act, since it is no import.
"""

from mlflow.models import set_model

from hnmets.registry.pyfunc import PackageModel

set_model(PackageModel())
