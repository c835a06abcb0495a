"""Versions in a project's own MLflow database, read without MLflow: it takes 150 MB to load."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.tracking.place import Place

_FOUND = """
select version.version, version.storage_location, package.value
from model_versions as version
join model_version_tags as package using (workspace, name, version)
left join registered_model_aliases as alias
    on (alias.workspace, alias.name, alias.version)
     = (version.workspace, version.name, version.version)
where version.name = :name
    and package.key = 'hnmets.package'
    and (alias.alias = :asked or cast(version.version as text) = :asked)
order by version.version desc
limit 1
"""


@dataclass(frozen=True, kw_only=True)
class ProjectVersion:
    """One version.

    Parameters
    ----------
    package
        Digest of its package.
    folder
        Of its MLflow model.
    """

    number: int
    package: str
    folder: Path


def find_version(place: Place, *, name: str, asked: str) -> ProjectVersion | None:
    """Return the version of a number or an alias; None where there is none.

    Raises
    ------
    UsageError
        If the project has no database.
    """
    if not place.database.exists():
        raise UsageError(f"there are no models in {place.project.name}").with_note(
            "Register one first: `hnmets models register`."
        )
    with closing(sqlite3.connect(f"file:{place.database}?mode=ro", uri=True)) as connection:
        found = connection.execute(_FOUND, {"name": name, "asked": asked}).fetchone()
    if found is None:
        return None
    number, location, package = found
    return ProjectVersion(number=number, package=package, folder=place.project / location)
