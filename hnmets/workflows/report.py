"""`report`: one HTML file of an ablation, which works offline."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from feature_store.atomic import write_atomic
from hnmets.domain.errors import UsageError
from hnmets.reporting.findings import Findings
from hnmets.reporting.findings_json import from_json, to_json
from hnmets.reporting.html import write_report
from hnmets.workflows.kept_explanations import explanations_of
from hnmets.workflows.study import Study

_FOLDER = "evaluations"
_DIGITS = 8


def keep(findings: Findings, store: Path, *, run: str, at: datetime) -> Path:
    """Write findings into the store's folder; return the file, which sorts by time."""
    folder = store / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{at:%Y%m%dT%H%M%S}-{run[:_DIGITS]}.json"
    write_atomic(path, to_json(findings).encode())
    return path


def run(study: Study, out: Path, *, asked: str | None = None, explained: bool = True) -> Path:
    """Write the report of a run.

    Parameters
    ----------
    asked
        Key of the run, or its beginning; the newest run by default.
    explained
        Whether to show the patients whose risks were explained.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    UsageError
        If there is no such run.
    InvalidDataError
        If a file of the run or of an explanation is damaged.
    """
    kept = sorted((study.store_folder / _FOLDER).glob("*.json"))
    wanted = [path for path in kept if path.stem.rpartition("-")[2].startswith(_short(asked))]
    if not wanted:
        known = ", ".join(path.stem.rpartition("-")[2] for path in kept) or "none"
        raise UsageError(f"no run '{asked or 'newest'}'; there is: {known}").with_note(
            "Run `hnmets ablate` first."
        )
    findings = from_json(wanted[-1].read_text(encoding="utf-8"))
    if explained:
        shown = explanations_of(findings, study.store_folder)
        findings = replace(findings, explained=shown)
    write_report(findings, out)
    return out


def _short(asked: str | None) -> str:
    return (asked or "")[:_DIGITS]
