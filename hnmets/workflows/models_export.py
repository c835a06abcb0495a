"""`models export`: the MLflow model of a version as a folder of its own."""

import shutil
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.workflows.predict import open_version
from hnmets.workflows.study import Study


def run(study: Study, version: str, out: Path) -> Path:
    """Copy a version that is as it was registered; return the folder.

    Raises
    ------
    UsageError
        If there is no such version, or something lies in the folder's place.
    TamperedPackageError
        If the package is not as it was registered.
    """
    if out.exists():
        raise UsageError(f"{out} exists").with_note("Name a new folder.")
    opened = open_version(study, version)
    shutil.copytree(opened.folder, out)
    return out
