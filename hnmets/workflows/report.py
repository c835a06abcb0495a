"""`report`: one HTML file of an ablation, which works offline."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from feature_store.atomic import write_atomic
from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.explained import ExplainedCase
from hnmets.reporting.findings import Findings
from hnmets.reporting.findings_json import from_json, to_json
from hnmets.reporting.html import write_report
from hnmets.workflows.kept_explanations import explanations_of
from hnmets.workflows.kept_runs import find_run, kept_keys, path_of_run
from hnmets.workflows.study import Study

_FOLDER = "evaluations"


def keep(findings: Findings, store: Path, *, run: str, at: datetime) -> Path:
    """Write findings into the store's folder; return the file, which sorts by time."""
    return write_atomic(path_of_run(store / _FOLDER, run, at=at), to_json(findings).encode())


def findings_of(store: Path, asked: str | None = None) -> Findings:
    """Return the findings of a run.

    Parameters
    ----------
    asked
        Key of the run, or its beginning; the newest run by default.

    Raises
    ------
    UsageError
        If there is no such run.
    InvalidDataError
        If its file is damaged.
    """
    return from_json(find_run(store / _FOLDER, asked).read_text(encoding="utf-8"))


def run_with(explained: ExplainedCase, store: Path) -> str | None:
    """Return the newest run whose report shows an explanation; None where there is none."""
    for key in kept_keys(store / _FOLDER):
        try:
            findings = findings_of(store, key)
        except InvalidDataError:
            # No report can be made of a damaged run; whoever asks for it is told why.
            continue
        if findings.is_explained_by(explained):
            return key
    return None


def stated_findings(study: Study, asked: str | None = None) -> Findings:
    """Return the findings of a run, with what its authors state in the study file today.

    Raises
    ------
    UsageError
        If there is no such run.
    InvalidDataError
        If its file is damaged.
    """
    return replace(findings_of(study.store_folder, asked), statements=study.tripod)


def run(study: Study, out: Path, *, asked: str | None = None, cases: bool = True) -> Path:
    """Write the report of a run.

    Parameters
    ----------
    asked
        Key of the run, or its beginning; the newest run by default.
    cases
        Whether cases may be named: the worst misses, those whose risks were explained, and those
        that are suspicious.

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
    findings = stated_findings(study, asked)
    if cases:
        shown = explanations_of(findings, study.store_folder)
        findings = replace(findings, explained=shown)
    write_report(findings, out, cases=cases)
    return out
