"""Frozen splits: drawn once, kept in the store's folder, refused if anything has changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from feature_store.atomic import write_atomic
from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import SplitCohortError, SplitEditedError
from hnmets.datasets.fold import Fold
from hnmets.datasets.split import FORMAT, HELD_OUT, Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject, checked, relevant


def split_path(store: Path, parameters: SplitParameters) -> Path:
    """Return where the split of these parameters lies in a store's folder."""
    return store / "splits" / f"{parameters.label}.json"


def frozen_split(store: Path, subjects: Iterable[Subject], parameters: SplitParameters) -> Split:
    """Return the store's split of these parameters; it is drawn and frozen the first time.

    Parameters
    ----------
    store
        The store's folder.
    subjects
        The cohort as it is now.

    Raises
    ------
    SplitCohortError
        If the split was frozen for other cases, patients or outcomes: they are named.
    SplitEditedError
        If the file is not as it was written.
    SplitImpossibleError
        See `draw`.
    """
    path = split_path(store, parameters)
    present = checked(subjects)
    if not path.exists():
        split = draw(present, parameters)
        write_split(path, split)
        return split
    split = read_split(path)
    if split.parameters != parameters:
        raise SplitEditedError(path, f"it holds {split.parameters.label}")
    if differing := differences(split.subjects, relevant(present, parameters.kind)):
        raise SplitCohortError(path.name, differing)
    return split


def write_split(path: Path, split: Split) -> None:
    """Write a split and its hash; a kill leaves no half of it.

    Raises
    ------
    StoreFullError
        If the disk has no room.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _bytes(split))


def read_split(path: Path) -> Split:
    """Read a split back.

    Raises
    ------
    SplitEditedError
        If one byte differs from what was written.
    """
    data = path.read_bytes()
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise SplitEditedError(path, f"format {content['format']}, known is {FORMAT}")
        split = _split(content)
        written = _bytes(split)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SplitEditedError(path, "it is no split") from error
    if content["hash"] != split.hash:
        raise SplitEditedError(path, f"its hash is {split.hash[:12]}, not the one it names")
    if data != written:
        raise SplitEditedError(path, "it was written by another program")
    return split


def differences(frozen: Sequence[Subject], present: Sequence[Subject]) -> list[str]:
    """Return, in words, how a cohort differs from the one that was frozen.

    Examples
    --------
    >>> before = Subject(case_id="A", patient_id="A", event=False)
    >>> after = Subject(case_id="A", patient_id="A", event=True)
    >>> differences([before], [after])
    ['case A: event False is now True']
    """
    was = {subject.case_id: subject for subject in frozen}
    now = {subject.case_id: subject for subject in present}
    gone = [f"case {case_id} is gone" for case_id in was if case_id not in now]
    new = [f"case {case_id} is new" for case_id in now if case_id not in was]
    changed = [
        f"case {case_id}: {change}"
        for case_id, subject in now.items()
        if case_id in was and (change := _change(was[case_id], subject))
    ]
    return gone + new + changed


def _change(was: Subject, now: Subject) -> str:
    if was.patient_id != now.patient_id:
        return "is of another patient now"
    changed = [
        f"{what} {getattr(was, what)} is now {getattr(now, what)}"
        for what in ("event", "centre", "date")
        if getattr(was, what) != getattr(now, what)
    ]
    return ", ".join(changed)


def _bytes(split: Split) -> bytes:
    return f'{{"hash":"{split.hash}",{split.canonical[1:]}\n'.encode()


def _split(content: Mapping[str, Any]) -> Split:  # Any: JSON, checked against its own hash
    subjects = tuple(Subject(**subject) for subject in content["subjects"])
    return Split(
        parameters=SplitParameters(**content["parameters"]),
        subjects=subjects,
        folds=tuple(_fold(fold, subjects) for fold in content["folds"]),
        left_out=content["left_out"],
    )


def _fold(content: Mapping[str, Any], subjects: Sequence[Subject]) -> Fold:
    by_role: dict[int | None, list[str]] = {}
    for subject, role in zip(subjects, content["roles"], strict=True):
        by_role.setdefault(role, []).append(subject.case_id)
    parts = sorted(role for role in by_role if role is not None and role != HELD_OUT)
    return Fold(
        name=content["name"],
        repeat=content["repeat"],
        held_out=tuple(by_role.get(HELD_OUT, ())),
        inner=tuple(tuple(by_role[part]) for part in parts),
    )
