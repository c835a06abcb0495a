"""Small searches: parts whose columns tell the outcome, plans, and what tries nothing real."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import Trial

from hnmets.models.head_parameters import HeadParameters
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.part import ALWAYS, Block, Part, embedding_key, radiomics_key, save_part
from hnmets.tuning.plan import EVERYBODY, HeadPlan, part_file
from hnmets.tuning.space import NONE, HeadSpace, Range
from hnmets.tuning.worker import Told

TUMOUR, RING, EMBEDDING = "radiomics.tumour", "radiomics.ring", "embedding.both"
# Added to the study file of `every_modality`.
EVERY_MODALITY_SEARCH = """
[selection]
trees = 20

[head]
epochs = 8
patience = 8

[tuning]
trials = 10
inner_folds = 3
rungs = [3]

[tuning.head]
top = [2, 4]
components = [2, 4]
correlation_limit = [0.9]
hidden = [[4], [8]]
projection = [4]
"""
QUICK = HeadParameters(
    hidden=(6,), projection=4, epochs=6, patience=6, batch_size=32, sparsity=0.0
)
SPACE = HeadSpace(
    radiomics=((TUMOUR,), (TUMOUR, RING), ()),
    embeddings=(NONE, EMBEDDING),
    correlation_limit=(0.8, 0.9),
    top=(3, 6),
    components=(2, 4),
    projection=(2, 4),
    hidden=((4,), (6,), (6, 3)),
    learning_rate=Range(low=1e-3, high=1e-2, log=True),
)
CHOSEN = HeadConfiguration(
    radiomics=(TUMOUR,),
    embedding=(),
    correlation_limit=0.8,
    top=3,
    components=2,
    head=QUICK,
)


def part(seed: int, *, rows: int = 120, signal: float = 1.0) -> Part:
    """An inner fold whose first radiomics column tells the outcome by so many deviations."""
    rng = np.random.default_rng(seed)
    outcome = np.arange(rows) % 3 == 0

    def block(*modalities: str, told: float = 0.0) -> Block:
        values = rng.normal(size=(rows, len(modalities))).astype(np.float32)
        values[:, 0] += told * outcome
        return Block(values=values, modalities=modalities, rank=np.arange(len(modalities)))

    blocks = {ALWAYS: block("clinical", "clinical", "size.tumour")}
    for limit in SPACE.correlation_limit:
        blocks[radiomics_key((TUMOUR,), limit)] = block(*[TUMOUR] * 6, told=signal)
        both = [TUMOUR, RING] * 3
        blocks[radiomics_key((TUMOUR, RING), limit)] = block(*both, told=signal)
    blocks[embedding_key(EMBEDDING)] = block(*[EMBEDDING] * 4)
    fitted, stopped = rows // 2, rows // 4
    return Part(outcome=outcome, sizes=(fitted, stopped, rows - fitted - stopped), blocks=blocks)


def written(folder: Path, **changes: Any) -> HeadPlan:  # noqa: ANN401 - any field of a plan
    """Write a plan of one study of two inner folds, with its parts."""
    plan = HeadPlan(
        name="head-test",
        studies={EVERYBODY: 2},
        trials=8,
        seed=3,
        rungs=(2, 4),
        space=SPACE,
        base=QUICK,
    )
    plan = replace(plan, **changes)
    for study, folds in plan.studies.items():
        for fold in range(folds):
            save_part(part_file(folder, study, fold), part(fold))
    plan.write(folder)
    return plan


@dataclass(kw_only=True)
class Sum:
    """Tries nothing: the value of a trial is x, or it fails where x is below a threshold.

    Parameters
    ----------
    meanwhile
        Called while trials are tried.
    """

    at_once: int = 4
    threshold: float = -1.0
    meanwhile: Callable[[], None] = lambda: None
    tried: list[int] = field(default_factory=list)

    def try_out(self, trials: Sequence[Trial]) -> list[Told]:
        """Ask for x and return it."""
        told = []
        for trial in trials:
            self.tried.append(trial.number)
            x = trial.suggest_float("x", 0, 1)
            self.meanwhile()
            if x < self.threshold:
                told.append(Told(value=None, reason="too low", attributes={}))
            else:
                told.append(Told(value=x, attributes={"aucs": [x]}))
        return told


def start_worker(folder: Path, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a worker process as a person would."""
    return subprocess.Popen(
        [sys.executable, "-m", "hnmets.tuning", str(folder), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that cannot say goodbye."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_until(reached: Callable[[], bool], seconds: float = 120) -> None:
    """Look again and again, and fail after so many seconds."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
