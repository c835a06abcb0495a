"""The stacked trainer against the usual loop: one network per fold, DataLoader, AdamW, in one run.

1,497 patients, 21 % with the event, five folds, each with an inner split to watch; 16 settings
of learning rate and weight decay per fold, as many epochs for both ways. At 816 inputs the
embedding of 768 is projected to 64 by the head, at 112 it came compressed. A CPU is used with
one thread, a GPU, where there is one, with 256 settings; nothing is compiled, so that a GPU's
first run differs from the next by loading kernels alone.

    python -m benchmarks.head
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from hnmets.models.head_forward import logits
from hnmets.models.head_member import HeadRows, Member, Trained
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.stack import train

PATIENTS, PREVALENCE, FOLDS = 1497, 0.21, 5
WIDTHS = {816: (768, 36, 12), 112: (64, 36, 12)}
WANTED_RATIO = {816: 3.0, 112: 8.0}
WANTED_RATIO_GPU = 500.0
SETTINGS, SETTINGS_GPU = 16, 256
SPEED_EPOCHS, AUC_EPOCHS = 3, 15
# Settings that the loop trains per round: its time per setting does not depend on their number.
LOOP_SETTINGS, ROUNDS = 2, 5
AUC_SETTINGS, AUC_SEEDS = 2, 6


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from, to watch and to score."""

    fitting: HeadRows
    watched: HeadRows
    held_out: HeadRows


class Head(nn.Module):
    """The reference head as anybody would write it."""

    def __init__(self, widths: tuple[int, ...], parameters: HeadParameters) -> None:
        super().__init__()
        size, rate = parameters.projection, parameters.dropout
        self.widths = list(widths)
        self.project = nn.ModuleList(
            nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Dropout(rate))
            if width > size
            else nn.Identity()
            for width in widths
        )
        layers: list[nn.Module] = []
        units = sum(min(width, size) for width in widths)
        for hidden in parameters.hidden:
            layers += [nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(rate)]
            units = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(units, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return log odds, shape (rows,)."""
        blocks = zip(self.project, inputs.split(self.widths, dim=1), strict=True)
        units: Tensor = self.layers(torch.cat([project(block) for project, block in blocks], 1))
        return units.squeeze(1)


def main() -> int:
    """Measure both ways, print medians, ratios and AUCs; 1 where a target is missed."""
    torch.set_num_threads(1)
    good = [speed(inputs) for inputs in WIDTHS]
    good.append(agreement())
    if torch.cuda.is_available():
        good.append(gpu())
    else:
        print("no CUDA device: nothing is measured on a GPU")
    return 0 if all(good) else 1


def speed(inputs: int) -> bool:
    """Interleave both ways on one CPU thread; seconds of the CPU and of the clock per setting."""
    folds = cohort(inputs, seed=0)
    stack = members(inputs, folds, settings=SETTINGS, epochs=SPEED_EPOCHS)
    few = members(inputs, folds, settings=LOOP_SETTINGS, epochs=SPEED_EPOCHS)
    loop(few[0])
    train(stack[:2])
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(seconds(lambda: [loop(member) for member in few], LOOP_SETTINGS))
        ours.append(seconds(lambda: train(stack), SETTINGS))
    print(f"{inputs} inputs, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ratios = []
    for place, clock in enumerate(("CPU", "wall")):
        own_s = statistics.median(pair[place] for pair in ours)
        their_s = statistics.median(pair[place] for pair in theirs)
        ratios.append(their_s / own_s)
        print(
            f"  {clock:4} loop {their_s:.3f} s, stack {own_s:.4f} s per setting of "
            f"{FOLDS} folds (medians of {ROUNDS}): {ratios[-1]:.1f}"
        )
    print(f"  wanted {WANTED_RATIO[inputs]:.0f} of CPU time")
    return ratios[0] >= WANTED_RATIO[inputs]


def agreement() -> bool:
    """Compare the held-out AUC of both ways with how far seeds move it."""
    theirs, ours = [], []
    folds = cohort(112, seed=0)
    for seed in range(AUC_SEEDS):
        heads = members(112, folds, settings=AUC_SETTINGS, epochs=AUC_EPOCHS, seed=seed)
        scored = [fold.held_out for fold in folds for _ in range(AUC_SETTINGS)]
        stack = zip(heads, train(heads), scored, strict=True)
        ours.append(np.mean([auc(h, risk(m, trained, h)) for m, trained, h in stack]))
        loops = [(loop(member), held) for member, held in zip(heads, scored, strict=True)]
        theirs.append(np.mean([auc(h, predicted(network, h)) for network, h in loops]))
    difference = abs(float(np.mean(ours) - np.mean(theirs)))
    noise = float(np.std(theirs, ddof=1))
    print(f"AUC after {AUC_EPOCHS} epochs, {AUC_SEEDS} seeds")
    print(f"  loop {np.mean(theirs):.4f}, stack {np.mean(ours):.4f}")
    print(
        f"  difference {difference:.4f}, standard deviation of the loop between seeds {noise:.4f}"
    )
    return difference <= noise


def gpu() -> bool:
    """Time the loop with its rows on the CPU, and a first and further runs of the stack."""
    folds = cohort(816, seed=0)
    stack = members(816, folds, settings=SETTINGS_GPU, epochs=SPEED_EPOCHS)
    few = members(816, folds, settings=1, epochs=SPEED_EPOCHS)
    loop(few[0], "cuda")
    _, first_s = seconds(lambda: train(stack, device="cuda"), SETTINGS_GPU)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(seconds(lambda: [loop(member, "cuda") for member in few], 1)[1])
        ours.append(seconds(lambda: train(stack, device="cuda"), SETTINGS_GPU)[1])
    their_s, own_s = statistics.median(theirs), statistics.median(ours)
    device = torch.cuda.get_device_name()
    print(f"{device}, 816 inputs, {SETTINGS_GPU} settings, nothing compiled, wall per setting")
    print(f"  loop {their_s:.3f} s, stack {own_s * 1000:.3f} ms, warm: {their_s / own_s:.0f}")
    print(f"  first run of the stack {first_s * 1000:.3f} ms: {their_s / first_s:.0f}")
    print(f"  wanted {WANTED_RATIO_GPU:.0f} warm")
    return their_s / own_s >= WANTED_RATIO_GPU


def cohort(inputs: int, seed: int) -> list[Fold]:
    """Draw patients of whom a few columns of each modality tell the outcome, in five folds."""
    rng = np.random.default_rng(seed)
    outcome = rng.random(PATIENTS) < PREVALENCE
    values = rng.normal(size=(PATIENTS, inputs)).astype(np.float32)
    starts = np.cumsum([0, *WIDTHS[inputs][:-1]])
    for start in starts:
        values[:, start : start + 3] += 0.4 * outcome[:, np.newaxis]
    parts = np.array_split(rng.permutation(PATIENTS), FOLDS)

    def rows(places: NDArray[np.int64]) -> HeadRows:
        return HeadRows(inputs=values[places], outcome=outcome[places])

    folds = []
    for held_out in parts:
        training = np.setdiff1d(np.arange(PATIENTS), held_out)
        watched = training[::5]
        fitting = np.setdiff1d(training, watched)
        folds.append(Fold(rows(fitting), rows(watched), rows(held_out)))
    return folds


def members(
    inputs: int, folds: Sequence[Fold], *, settings: int, epochs: int, seed: int = 0
) -> list[Member]:
    """Return the heads of all folds and settings; patience never ends one early."""
    return [
        Member(
            fitting=fold.fitting,
            choosing=fold.watched,
            widths=WIDTHS[inputs],
            seed=FOLDS * seed + place,
            parameters=HeadParameters(
                learning_rate=1e-3 * (1 + setting / 8),
                weight_decay=1e-2 / (1 + setting % 4),
                # The usual loop has none.
                sparsity=0.0,
                epochs=epochs,
                patience=epochs,
            ),
        )
        for place, fold in enumerate(folds)
        for setting in range(settings)
    ]


def loop(member: Member, device: str = "cpu") -> nn.Module:
    """Train one head as usual, and return it with the weights of its lowest watched loss."""
    torch.manual_seed(member.seed)
    given = member.parameters
    network = Head(member.widths, given).to(device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=given.learning_rate, weight_decay=given.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, given.epochs)
    share = float(member.fitting.outcome.mean())
    loss_of = nn.BCEWithLogitsLoss(pos_weight=torch.tensor((1 - share) / share, device=device))
    fitting = DataLoader(dataset(member.fitting), given.batch_size, shuffle=True)
    watched = DataLoader(dataset(member.choosing), given.batch_size)
    lowest, best = float("inf"), network.state_dict()
    for _ in range(given.epochs):
        network.train()
        for inputs, events in fitting:
            optimiser.zero_grad()
            loss_of(network(inputs.to(device)), events.to(device)).backward()
            optimiser.step()
        schedule.step()
        network.eval()
        with torch.no_grad():
            losses = [loss_of(network(x.to(device)), y.to(device)).item() for x, y in watched]
        if (loss := statistics.fmean(losses)) < lowest:
            lowest = loss
            best = {name: weight.clone() for name, weight in network.state_dict().items()}
    network.load_state_dict(best)
    return network


def dataset(rows: HeadRows) -> TensorDataset:
    """Return the rows as torch wants them."""
    events = rows.outcome.astype(np.float32)
    return TensorDataset(torch.from_numpy(rows.inputs), torch.from_numpy(events))


def predicted(network: nn.Module, rows: HeadRows) -> NDArray[np.float32]:
    """Return the log odds of a head of the loop."""
    network.eval()
    with torch.no_grad():
        found: NDArray[np.float32] = network(torch.from_numpy(rows.inputs)).numpy()
    return found


def risk(member: Member, trained: Trained, rows: HeadRows) -> NDArray[np.float32]:
    """Return the log odds of a head of the stack."""
    weights = {name: torch.from_numpy(array)[None] for name, array in trained.weights.items()}
    found: NDArray[np.float32] = logits(
        weights, torch.from_numpy(rows.inputs)[None], member.layout
    )[0].numpy()
    return found


def auc(rows: HeadRows, scores: NDArray[np.float32]) -> float:
    """Return the share of pairs of patients in the right order."""
    return float((scores[rows.outcome][:, np.newaxis] > scores[~rows.outcome]).mean())


def seconds(work: Callable[[], object], settings: int) -> tuple[float, float]:
    """Return seconds of the CPU and of the clock per setting."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return (time.process_time() - cpu) / settings, (time.perf_counter() - wall) / settings


if __name__ == "__main__":
    sys.exit(main())
