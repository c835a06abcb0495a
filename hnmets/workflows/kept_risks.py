"""Every held-out risk of a ladder, kept with the store: what a registered model has to repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel

from feature_store.atomic import write_atomic
from hnmets.domain.errors import UsageError
from hnmets.domain.strict_json import STRICT, read, written
from hnmets.evaluation.predictions import Predictions
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.kept_runs import DIGITS, find_run, path_of_run
from hnmets.workflows.ladder import Choice

FORMAT: Final = 1
_FOLDER = "held-out"
_WHAT = f"held-out risks of format {FORMAT}"
_OTHERWISE = "Write them again with `hnmets evaluate` or `hnmets ablate` of this version."


@dataclass(frozen=True, kw_only=True)
class RungRisks:
    """What one rung said.

    Parameters
    ----------
    risk, thresholds
        One line per repeat, one number per patient.
    """

    name: str
    model: str
    risk: tuple[tuple[float, ...], ...]
    thresholds: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class KeptRisks:
    """What all rungs of a run said of patients whom they had not learned from.

    Parameters
    ----------
    run
        Key of the run.
    choice
        What was asked for: with the study file it says how to fit the rungs again.
    patients
        In the order of the risks; they never leave the store.
    folds
        Number, within its repeat, of the fold in which a patient was scored.
    """

    run: str
    choice: Choice
    split_hash: str
    dataset_digest: str
    patients: tuple[str, ...]
    outcome: tuple[bool, ...]
    folds: tuple[tuple[int, ...], ...]
    rungs: tuple[RungRisks, ...]

    def rung(self, name: str) -> RungRisks:
        """Return the risks of a rung.

        Raises
        ------
        UsageError
            If there is none of this name.
        """
        for rung in self.rungs:
            if rung.name == name:
                return rung
        names = ", ".join(rung.name for rung in self.rungs)
        raise UsageError(f"run {self.run[:DIGITS]} has no rung '{name}'").with_note(
            f"It has: {names}."
        )

    def predictions(self, name: str) -> Predictions:
        """Return the risks of a rung as they are measured."""
        return Predictions(
            patient_ids=self.patients,
            outcome=np.array(self.outcome, dtype=np.bool_),
            risk=np.array(self.rung(name).risk),
        )


class _Document(BaseModel):
    model_config = STRICT

    format: Literal[1] = FORMAT
    held_out: KeptRisks


def kept_risks(
    rungs: Sequence[OutOfFold], *, run: str, choice: Choice, split_hash: str, dataset_digest: str
) -> KeptRisks:
    """Return the risks of a ladder's rungs as they are kept."""
    first = rungs[0]
    return KeptRisks(
        run=run,
        choice=choice,
        split_hash=split_hash,
        dataset_digest=dataset_digest,
        patients=first.predictions.patient_ids,
        outcome=tuple(first.predictions.outcome.tolist()),
        folds=tuple(map(tuple, first.folds.tolist())),
        rungs=tuple(
            RungRisks(
                name=each.rung.name,
                model=each.rung.model,
                risk=tuple(map(tuple, each.predictions.risk.tolist())),
                thresholds=tuple(map(tuple, each.thresholds.tolist())),
            )
            for each in rungs
        ),
    )


def keep_risks(risks: KeptRisks, store: Path, *, at: datetime) -> Path:
    """Write risks into the store's folder, under a name that sorts by time."""
    path = path_of_run(store / _FOLDER, risks.run, at=at)
    text = written(lambda: _Document(held_out=risks), _WHAT, otherwise=_OTHERWISE)
    return write_atomic(path, text.encode())


def risks_of(store: Path, asked: str | None = None) -> KeptRisks:
    """Return the risks of a run.

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
    path = find_run(store / _FOLDER, asked)
    return read(_Document, path.read_bytes(), _WHAT, otherwise=_OTHERWISE).held_out
