"""Explanations in the store's folder: the newest of each case and split, for the report."""

from pathlib import Path
from urllib.parse import quote

from feature_store.atomic import write_atomic
from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.explained import ExplainedCase
from hnmets.reporting.explained_json import from_json, to_json
from hnmets.reporting.findings import Findings

_FOLDER = "explanations"
_DIGITS = 8


def keep_explanation(explained: ExplainedCase, store: Path) -> Path:
    """Write an explanation in place of an older one of the same case and split.

    Examples
    --------
    `store/explanations/HN-001-9f3c02ab.json`
    """
    folder = store / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    # A case id may hold a slash.
    name = f"{quote(explained.case_id, safe='')}-{explained.split_hash[:_DIGITS]}.json"
    return write_atomic(folder / name, to_json(explained).encode())


def explanations_of(findings: Findings, store: Path) -> tuple[ExplainedCase, ...]:
    """Return the explanations of a run's headline, by case id; others are passed over.

    Raises
    ------
    InvalidDataError
        If a file of the run's split is damaged or of another version.
    """
    paths = (store / _FOLDER).glob(f"*-{findings.protocol.split_hash[:_DIGITS]}.json")
    found = [each for each in map(_read, paths) if findings.is_explained_by(each)]
    return tuple(sorted(found, key=lambda each: each.case_id))


def _read(path: Path) -> ExplainedCase:
    try:
        return from_json(path.read_bytes())
    except InvalidDataError as error:
        error.add_note(f"It is {_FOLDER}/{path.name} in the store's folder.")
        raise
