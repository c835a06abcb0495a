"""The project's own MLflow database, such that the project can be moved and tells no folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock

from hnmets.tracking.place import Place

# MLflow writes the absolute folder of every experiment into its database, and the folder of a
# run is made of it. Relative, it is right wherever the project lies, for whoever works in it.
_MADE_RELATIVE = """
update experiments
set artifact_location = 'mlruns/' || experiment_id
where artifact_location = :folder || '/mlruns/' || experiment_id
"""

_LAST_EXPERIMENT = """
select runs.experiment_id
from runs join experiments using (experiment_id)
where runs.lifecycle_stage = 'active' and experiments.lifecycle_stage = 'active'
order by runs.start_time desc, runs.run_uuid
limit 1
"""


@contextmanager
def changing(place: Place) -> Iterator[None]:
    """Make the database, or experiments in it, while no other process does.

    On leaving, readers and a writer no longer wait for each other (WAL), and the folders of the
    project's experiments are relative.
    """
    place.project.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place.database}.lock"):
        yield
        with closing(sqlite3.connect(place.database)) as connection, connection:
            connection.execute("pragma journal_mode=wal")
            for folder in {place.project.absolute(), Path.cwd()}:
                connection.execute(_MADE_RELATIVE, {"folder": folder.as_posix()})


def last_experiment(place: Place) -> int | None:
    """Return the experiment of the newest run; None where there is no run."""
    with closing(sqlite3.connect(place.database)) as connection:
        found = connection.execute(_LAST_EXPERIMENT).fetchone()
    return None if found is None else int(found[0])
