"""The tracker of a project, as the workflows use it."""

import os
from importlib import import_module
from pathlib import Path

from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.place import Place, place_of
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.spooled import Patience, SpooledTracker

# A database on this machine is slow at most; its first use makes fifty tables.
_LOCAL_STILL_S = 120.0
# What MLflow imports, and scikit-learn uses as soon as it stands in `sys.modules`.
_SHARED = ("pandas", "polars", "pyarrow")


def open_tracker(project: Path) -> SpooledTracker:
    """Return a tracker for the runs of a study; use it in a `with` block.

    Parameters
    ----------
    project
        Folder of the study file.
    """
    # Before the tracker's own thread does: a model that is fitted meanwhile would meet half a
    # module, and fail.
    for name in _SHARED:
        import_module(name)
    place = place_of(project, os.environ)
    privacy = Privacy.of(project)
    return SpooledTracker(
        place.spools,
        MlflowTracker(place, privacy=privacy),
        privacy=privacy,
        patience=_patience(place),
    )


def _patience(place: Place) -> Patience:
    return Patience() if place.is_server else Patience(still_s=_LOCAL_STILL_S)
