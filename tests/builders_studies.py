"""Studies of a few rows, written as a person would keep them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.study import Study, load_study

TABLES_ONLY = """\
[study]
name = "few"

[cohort]
manifest = "cohort.csv"
case = "id"
"""
OUTCOME = '[outcome]\nevent = "dm"\n'
DATED = """\
[outcome]
event = "dm"
event_time = "dm_days"
follow_up = "fu_days"
"""


def write(folder: Path, *, toml: str, rows: Sequence[str] = (), name: str = "cohort.csv") -> Path:
    """Write a study file and its manifest, one text per row; return the study file."""
    if rows:
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    file = folder / "study.toml"
    file.write_text(toml, encoding="utf-8")
    return file


def study_of(
    folder: Path,
    toml: str,
    *,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Study:
    """Load a study in an environment of its own."""
    return load_study(write(folder, toml=toml), environ=environ or {}, flags=flags)


def cohort_of(folder: Path, toml: str, rows: Sequence[str]) -> Cohort:
    """Read the cohort of a study."""
    return read_cohort(load_study(write(folder, toml=toml, rows=rows), environ={}))


def reasons(cohort: Cohort) -> dict[str, str]:
    """Return the code of each row that was left out, by case; rows must have ids of their own."""
    return {failure.case_id: failure.code.value for failure in cohort.failures}
