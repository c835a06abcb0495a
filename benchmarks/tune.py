"""A search of heads against the usual objective: a loop over folds, each logged as it ends.

The cohort of `benchmarks.head`: 1,497 patients, five folds, 816 or 112 inputs. Both ways let
Optuna choose learning rate, weight decay and dropout, train as many epochs, and have every fold
in MLflow's SQLite. CPU seconds on one thread: training, sampler, storage and tracking are counted,
making MLflow's database is not.

    python -m benchmarks.tune [--trials N]
"""

import argparse
import logging
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.trial import Trial

from benchmarks.head import FOLDS, Fold, auc, cohort, loop, predicted
from hnmets.models.head_member import Member
from hnmets.models.head_parameters import HeadParameters
from hnmets.tracking.base import Dataset
from hnmets.tracking.environment import capture
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.privacy import Privacy
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.head_search import HeadSearch, Tried
from hnmets.tuning.part import ALWAYS, Block, Part, save_part
from hnmets.tuning.plan import EVERYBODY, HeadPlan, part_file
from hnmets.tuning.records import Records
from hnmets.tuning.space import HeadSpace, Range
from hnmets.tuning.starting import worker_of
from hnmets.workflows.tuning_runs import SearchRuns

WIDTHS = {816: (768, 36, 12), 112: (64, 36, 12)}
MODALITIES = ("embedding.both", "radiomics.tumour", "clinical")
WANTED_RATIO = {816: 3.0, 112: 8.0}
WANTED_SHARE = 0.05
EPOCHS, AUC_EPOCHS = 30, 15
TRIALS, LOOP_TRIALS, ROUNDS = 16, 1, 3
SPACE = HeadSpace(
    radiomics=((),),
    embeddings=("none",),
    fusion=("concatenation",),
    projection=(64,),
    hidden=((128, 32),),
    dropout=Range(low=0.2, high=0.6),
    learning_rate=Range(low=3e-4, high=3e-3, log=True),
    weight_decay=Range(low=1e-3, high=1e-1, log=True),
    sparsity=(0.0,),
    loss=("cross-entropy",),
)


def main() -> int:
    """Measure both ways, print ratios, shares and AUCs; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    good = [speed(inputs, trials) for inputs in WIDTHS]
    good += [share(), agreement()]
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of this process {peak_gib:.2f} GiB")
    return 0 if all(good) else 1


def speed(inputs: int, trials: int) -> bool:
    """Interleave both ways; CPU seconds per trial."""
    folds = cohort(inputs, seed=0)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(usual(folds, inputs, LOOP_TRIALS, EPOCHS) / LOOP_TRIALS)
        ours.append(search(folds, inputs, trials, EPOCHS) / trials)
    own_s, their_s = statistics.median(ours), statistics.median(theirs)
    print(
        f"{inputs} inputs, {EPOCHS} epochs, load {os.getloadavg()[0]:.1f}: loop {their_s:.3f} s, "
        f"search {own_s:.4f} s of CPU per trial (medians of {ROUNDS}): {their_s / own_s:.1f}, "
        f"wanted {WANTED_RATIO[inputs]:.0f}"
    )
    return their_s / own_s >= WANTED_RATIO[inputs]


def share() -> bool:
    """Tell what Optuna and MLflow take of the time of trials of 30 epochs at 816 inputs."""
    folds, spent = cohort(816, seed=0), [0.0]
    plain = HeadSearch.tried

    def timed(self: HeadSearch, *given: object, **named: object) -> list[Tried]:
        began = time.process_time()
        found = plain(self, *given, **named)  # type: ignore[arg-type]  # handed through
        spent[0] += time.process_time() - began
        return found

    HeadSearch.tried = timed  # type: ignore[method-assign]
    try:
        whole = search(folds, 816, 16, EPOCHS)
    finally:
        HeadSearch.tried = plain  # type: ignore[method-assign]
    others = 1 - spent[0] / whole
    print(
        f"816 inputs, {EPOCHS} epochs, batch of 16: {whole / 16:.2f} s of CPU per trial, "
        f"of which Optuna and MLflow {others:.1%}, wanted below {WANTED_SHARE:.0%}"
    )
    return others < WANTED_SHARE


def agreement() -> bool:
    """Compare the AUC of both ways at the same settings with how far seeds move it."""
    folds = cohort(112, seed=0)
    theirs = [loop_auc(folds, 112, parameters(AUC_EPOCHS), seed) for seed in range(4)]
    stack = []
    for seed in range(4):
        tried = HeadSearch(parts=parts(folds, 112), seed=FOLDS * seed, at_once=FOLDS).tried(
            [configuration(AUC_EPOCHS)]
        )
        stack.append(tried[0].value)
    difference = abs(float(np.mean(stack) - np.mean(theirs)))
    noise = float(np.std(theirs, ddof=1))
    print(
        f"AUC after {AUC_EPOCHS} epochs, 4 seeds: loop {np.mean(theirs):.4f}, search "
        f"{np.mean(stack):.4f}; the loop's seeds differ by {noise:.4f} (standard deviation)"
    )
    return difference <= 2 * noise


def usual(folds: list[Fold], inputs: int, trials: int, epochs: int) -> float:
    """Search as anybody would: an objective that loops over folds and logs each; CPU seconds."""
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
        experiment = client.create_experiment("loop", artifact_location=f"{folder}/mlruns")

        def objective(trial: Trial) -> float:
            chosen = replace(
                parameters(epochs),
                learning_rate=trial.suggest_float("learning_rate", 3e-4, 3e-3, log=True),
                weight_decay=trial.suggest_float("weight_decay", 1e-3, 1e-1, log=True),
                dropout=trial.suggest_float("dropout", 0.2, 0.6),
            )
            run = client.create_run(experiment).info.run_id
            aucs = []
            for place, fold in enumerate(folds):
                network = loop(member(fold, inputs, chosen, place))
                aucs.append(auc(fold.held_out, predicted(network, fold.held_out)))
                client.log_metric(run, f"fold_{place}_auc", aucs[-1])
            client.set_terminated(run)
            return float(np.mean(aucs))

        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(f"{folder}/journal.log")
        )
        study = optuna.create_study(direction="maximize", storage=storage)
        return cpu_s(lambda: study.optimize(objective, trials))


def search(folds: list[Fold], inputs: int, trials: int, epochs: int) -> float:
    """Search as `hnmets tune` does, worker and tracking in one process; CPU seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = HeadPlan(
            name="head-speed",
            studies={EVERYBODY: FOLDS},
            trials=trials,
            seed=0,
            rungs=(),
            space=SPACE,
            base=parameters(epochs),
        )
        for place, part in enumerate(parts(folds, inputs)):
            save_part(part_file(folder, EVERYBODY, place), part)
        plan.write(folder)
        records = Records.open(plan, folder, storage="")
        runs = partial(
            SearchRuns,
            experiment="speed",
            plan=plan,
            folder=folder,
            settings={},
            dataset=Dataset(name="search", digest="speed"),
            environment=capture((), privacy=Privacy.of(folder)),
        )
        with open_tracker(folder) as tracker:
            runs(tracker=tracker).begin()

        def work() -> None:
            records.enqueue()
            worker_of(folder).work()
            with open_tracker(folder) as tracker:
                begun = runs(tracker=tracker)
                begun.begin()
                begun.trials(EVERYBODY, records.of(EVERYBODY))

        return cpu_s(work)


def parts(folds: list[Fold], inputs: int) -> list[Part]:
    """Return the folds as a search keeps them."""
    blocks = zip(MODALITIES, WIDTHS[inputs], strict=True)
    names = [name for name, width in blocks for _ in range(width)]
    found = []
    for fold in folds:
        tables = (fold.fitting, fold.watched, fold.held_out)
        values = np.concatenate([table.inputs for table in tables])
        block = Block(values=values, modalities=tuple(names), rank=np.arange(inputs))
        fitted, stopped, scored = (len(table.outcome) for table in tables)
        outcome = np.concatenate([table.outcome for table in tables])
        found.append(
            Part(outcome=outcome, sizes=(fitted, stopped, scored), blocks={ALWAYS: block})
        )
    return found


def parameters(epochs: int) -> HeadParameters:
    """Return the settings that both ways share; patience never ends a head early."""
    return HeadParameters(epochs=epochs, patience=epochs, sparsity=0.0)


def configuration(epochs: int) -> HeadConfiguration:
    """Return the settings that both ways share, as a search knows them."""
    return HeadConfiguration(
        radiomics=(),
        embedding=(),
        correlation_limit=1.0,
        top=1,
        components=1,
        head=parameters(epochs),
    )


def member(fold: Fold, inputs: int, chosen: HeadParameters, seed: int) -> Member:
    """Return a head of the loop."""
    return Member(
        fitting=fold.fitting,
        choosing=fold.watched,
        widths=WIDTHS[inputs],
        parameters=chosen,
        seed=seed,
    )


def loop_auc(folds: list[Fold], inputs: int, chosen: HeadParameters, seed: int) -> float:
    """Return the mean AUC of the loop's heads."""
    networks = [
        loop(member(fold, inputs, chosen, FOLDS * seed + place))
        for place, fold in enumerate(folds)
    ]
    pairs = zip(folds, networks, strict=True)
    return float(np.mean([auc(f.held_out, predicted(n, f.held_out)) for f, n in pairs]))


def cpu_s(work: Callable[[], object]) -> float:
    """Return seconds of the CPU, all threads of this process together."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
