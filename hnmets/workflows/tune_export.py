"""`tune export`: a search as a folder for a machine that has no store."""

import shutil
from contextlib import closing
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import Study
from hnmets.workflows.tune import open_records, prepare, target_of


def run(study: Study, folder: Path, *, target: str = "head", on_part: OnCase = ignore) -> Path:
    """Prepare a search, plan its trials and copy it; return the folder to copy it back to.

    Raises
    ------
    UsageError
        If the folder is there already, or the trials are on a server.
    InvalidDataError
        See `prepare`.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already").with_note("Name a folder that is not.")
    if study.tuning.storage:
        raise UsageError("the trials of this search are on a server").with_note(
            "Whoever reaches the server works on it by `python -m hnmets.tuning`; to export, "
            "leave [tuning] storage empty."
        )
    search = prepare(study, target_of(target), on_part=on_part)
    with closing(open_records(search)) as records:
        records.enqueue()
    shutil.copytree(search.folder, folder)
    return search.folder
