"""Training steps of the own Swin against MONAI's, in one run: backbone, one logit, AdamW.

Crops lie on the device. On a CPU, with two threads, the `ci` preset in float32; on a GPU, where
there is one, the full preset at 96³, sixteen crops a step, with the peak of memory. Only torch,
MONAI, NumPy and hnmets.networks are needed.

    python -m benchmarks.backbone_training
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.embedding import MonaiEncoder
from hnmets.networks.architecture import PRESETS, Architecture
from hnmets.networks.classifier import Classifier
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import random_encoder

PREVALENCE, BATCH, THREADS = 0.21, 16, 2
ROUNDS = {"cpu": 7, "cuda": 10}
GIB = 2**30
# Own with everything trainable, and with frozen position tables, to MONAI's two settings.
WANTED = {"MONAI": (3.0, 5.0), "MONAI, bf16, compiled": (2.0, 3.4)}
WANTED_GIB = 12.0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a network is trained.

    Parameters
    ----------
    monai
        MONAI's forward instead of the own.
    frozen
        The position tables keep still.
    fast
        Compiled, in bfloat16.
    """

    monai: bool = False
    frozen: bool = False
    fast: bool = False


CPU = {"MONAI": Setting(monai=True), "own": Setting(), "own, frozen tables": Setting(frozen=True)}
GPU = {
    "MONAI": Setting(monai=True),
    "MONAI, bf16, compiled": Setting(monai=True, fast=True),
    "own, bf16, compiled": Setting(fast=True),
    "own, bf16, compiled, frozen tables": Setting(fast=True, frozen=True),
}


def main() -> int:
    """Measure, print crops per second, ratios and memory; 1 where a target is missed."""
    cpu()
    if not torch.cuda.is_available():
        print("no CUDA device: nothing is measured on a GPU")
        return 0
    return 0 if gpu() else 1


def cpu() -> None:
    """Time steps of the small preset in turns."""
    torch.set_num_threads(THREADS)
    architecture = PRESETS["ci"]
    steps = {name: step_of(setting, architecture, "cpu") for name, setting in CPU.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for number in range(ROUNDS["cpu"] + 1):
        for name, step in steps.items():
            started_s = time.process_time()
            wall_s = seconds(step)
            if number:
                taken[name].append((time.process_time() - started_s, wall_s))
    print(
        f"CPU, {THREADS} threads, ci preset, {BATCH} crops a step, medians of {ROUNDS['cpu']}, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for name, durations in taken.items():
        cpu_s, wall_s = (statistics.median(side) for side in zip(*durations, strict=True))
        # A turn's steps are neighbours in time: on a shared machine their ratios are steadier.
        ratio = statistics.median(
            theirs[0] / own[0] for theirs, own in zip(taken["MONAI"], durations, strict=True)
        )
        print(
            f"  {name:20} CPU time {cpu_s:.3f} s, wall {wall_s:.3f} s a step, "
            f"{BATCH / wall_s:.1f} crops/s, CPU time of MONAI to it {ratio:.2f}"
        )


def gpu() -> bool:
    """Time steps of the full preset, one setting after the other."""
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, full preset, batch {BATCH}")
    rates, peaks = {}, {}
    for name, setting in GPU.items():
        rates[name], peaks[name] = gpu_rate(setting)
        print(
            f"  {name:36} {rates[name]:6.1f} crops/s, {rates[name] / rates['MONAI']:.2f} of MONAI "
            f"in float32, peak {peaks[name]:.1f} GiB"
        )
    _, _, own, frozen = GPU
    good = peaks[own] < WANTED_GIB
    for theirs, (wanted, wanted_frozen) in WANTED.items():
        ratio, ratio_frozen = rates[own] / rates[theirs], rates[frozen] / rates[theirs]
        good &= ratio >= wanted and ratio_frozen >= wanted_frozen
        print(
            f"  own to {theirs}: {ratio:.2f} (wanted {wanted}), "
            f"frozen tables {ratio_frozen:.2f} (wanted {wanted_frozen})"
        )
    print(f"  peak wanted under {WANTED_GIB:.0f} GiB")
    return good


def gpu_rate(setting: Setting) -> tuple[float, float]:
    """Return crops per second and the peak of memory in GiB, compilation left out."""
    torch.compiler.reset()
    torch.cuda.empty_cache()
    step = step_of(setting, PRESETS["full"], "cuda")
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    taken = [seconds(step) for _ in range(ROUNDS["cuda"])]
    return BATCH / statistics.median(taken), torch.cuda.max_memory_allocated() / GIB


def step_of(setting: Setting, architecture: Architecture, device: str) -> Callable[[], None]:
    """Build a network and return what trains it by one step on a batch that stays."""
    torch.manual_seed(0)
    network = Classifier(encoder_of(setting, architecture), prevalence=PREVALENCE).to(device)
    network.train()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=4e-4, weight_decay=0.05, fused=device == "cuda")
    forward: Callable[[Tensor], Tensor] = network
    if setting.fast:
        forward = torch.compile(network, dynamic=False)
    edge = architecture.size_voxels
    crops = torch.rand(BATCH, 3, edge, edge, edge, device=device)
    events = (torch.arange(BATCH, device=device) % 5 == 0).float()

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=setting.fast):
            logits = forward(crops)
        functional.binary_cross_entropy_with_logits(logits.float(), events).backward()
        optimiser.step()

    return step


def encoder_of(setting: Setting, architecture: Architecture) -> Encoder:
    """Return the backbone of a setting."""
    if setting.monai:
        return MonaiEncoder(architecture, flag=False)
    own = random_encoder(architecture, channels=3, merging="fixed", seed=0)
    if setting.frozen:
        own.freeze_position_tables()
    return own


def seconds(step: Callable[[], None]) -> float:
    """Return how long a step takes on the clock."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
