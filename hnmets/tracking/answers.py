"""What MLflow's errors mean: another try may help, or it will not."""

from collections.abc import Iterator
from contextlib import contextmanager

from feature_store.errors import StoreFullError
from hnmets.tracking.errors import (
    TrackerLoginError,
    TrackerRefusedError,
    TrackerUnreachableError,
)
from hnmets.tracking.privacy import without_credentials

# What is wrong with the request itself. Anything else, a lost login included, may be mended.
_REFUSALS = frozenset(
    {"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST"}
)
_LOGINS = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
_LONGEST_REASON = 300


@contextmanager
def understood(*, beginning_run: bool = False) -> Iterator[None]:
    """Turn whatever the client raises into one of our errors.

    Parameters
    ----------
    beginning_run
        Whether the request makes a run, so that its fate matters when no answer comes.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        if error.error_code in _REFUSALS:
            raise TrackerRefusedError(_reason(error)) from error
        if error.error_code in _LOGINS:
            raise TrackerLoginError(_reason(error)) from error
        raise TrackerUnreachableError(_reason(error), in_doubt=beginning_run) from error
    except (OSError, SQLAlchemyError, StoreFullError) as error:
        raise TrackerUnreachableError(_reason(error), in_doubt=beginning_run) from error


def _reason(error: Exception) -> str:
    return without_credentials(str(error))[:_LONGEST_REASON]
