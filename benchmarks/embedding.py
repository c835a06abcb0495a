"""The own Swin forward against MONAI's, in one run: the full preset at 96³, three channels.

The same weights in both; position tables, biases and queries are larger than they are drawn, so
that attention matters. On a CPU, with two threads, crops go through one at a time, in turns with
MONAI's; on a GPU, where there is one, sixteen together. MONAI's fused attention ("flag",
`use_flash_attention`, without gradients alone) is its best setting. Errors are norms relative to
MONAI's in float64. Only torch, MONAI, NumPy and hnmets.networks are needed.

    python -m benchmarks.embedding
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from hnmets.networks.architecture import PRESETS, Architecture
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import SwinEncoder, random_encoder

FULL = PRESETS["full"]
THREADS, ROUNDS = 2, 5
BATCH, GPU_ROUNDS = 16, 20
WANTED_CPU, WANTED_SINGLE, WANTED_BEST = 1.7, 7.0, 1.8
WANTED_ERROR = {torch.float32: 1e-6, torch.float16: 2e-3}

Network = Callable[[Tensor], Tensor]


class MonaiEncoder(Encoder):
    """MONAI's stages; not its own forward, which normalises four maps that nobody looks at."""

    def __init__(self, architecture: Architecture, *, flag: bool) -> None:
        super().__init__()
        from monai.networks.nets.swin_unetr import SwinTransformer

        self.embedding_size = architecture.embedding_size
        self.backbone = SwinTransformer(
            in_chans=3,
            embed_dim=architecture.embed_dim,
            window_size=(architecture.window,) * 3,
            patch_size=(architecture.patch,) * 3,
            depths=architecture.depths,
            num_heads=architecture.heads,
            use_flash_attention=flag,
        )

    def maps(self, crops: Tensor) -> Tensor:
        """Return the last stage, (B, features, d, h, w)."""
        maps: Tensor = self.backbone.patch_embed(crops)
        for place in (1, 2, 3, 4):
            maps = self.backbone.get_submodule(f"layers{place}.0")(maps.contiguous())
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        """Return the tokens of the stage, layer-normed and averaged."""
        tokens = maps.flatten(2).transpose(1, 2)
        return functional.layer_norm(tokens, tokens.shape[-1:]).mean(dim=1)


def main() -> int:
    """Measure, print medians, ratios and errors; 1 where a target is missed."""
    with torch.no_grad():
        good = [cpu()]
        if torch.cuda.is_available():
            good.append(gpu())
        else:
            print("no CUDA device: nothing is measured on a GPU")
    return 0 if all(good) else 1


def cpu() -> bool:
    """Time both networks in turns, one crop at a time."""
    torch.set_num_threads(THREADS)
    own = lively_encoder(FULL).requires_grad_(False)
    networks: dict[str, nn.Module] = {
        "MONAI": monai_like(own, flag=False),
        "MONAI, flag": monai_like(own, flag=True),
        "own": own,
    }
    crop = crops(1)
    exact = deepcopy(networks["MONAI"]).double()(crop.double())
    times = in_turns(networks, crop)
    found = {name: relative(network(crop), exact) for name, network in networks.items()}
    medians = {name: statistics.median(pair[1] for pair in taken) for name, taken in times.items()}
    print(
        f"CPU, {THREADS} threads, one crop, float32, medians of {ROUNDS}, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for name, taken in times.items():
        cpu_s = statistics.median(pair[0] for pair in taken)
        print(
            f"  {name:12} {medians[name]:7.3f} s, CPU time {cpu_s:7.3f} s, "
            f"{medians[name] / medians['own']:.2f} of own, error {found[name]:.1e}"
        )
    # One turn's ratio is of neighbours in time: on a shared machine, their median is steadier.
    ratio = statistics.median(
        theirs[1] / ours[1] for theirs, ours in zip(times["MONAI"], times["own"], strict=True)
    )
    print(f"  MONAI to own {ratio:.2f} (median of the turns), wanted {WANTED_CPU}")
    return ratio >= WANTED_CPU and found["own"] < WANTED_ERROR[torch.float32]


def in_turns(
    networks: Mapping[str, nn.Module], crop: Tensor
) -> dict[str, list[tuple[float, float]]]:
    """Return seconds of the CPU and of the clock, by network and round, after a warm-up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in networks}
    for number in range(ROUNDS + 1):
        for name, network in networks.items():
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            network(crop)
            taken = time.process_time() - cpu_s, time.perf_counter() - wall_s
            if number:
                times[name].append(taken)
    return times


def gpu() -> bool:
    """Time a batch of sixteen in all settings; a compiled network runs as a CUDA graph."""
    own = lively_encoder(FULL).requires_grad_(False)
    single = monai_like(own, flag=False).cuda()
    batch = crops(BATCH).cuda()
    double = deepcopy(single).double()
    exact = torch.cat([double(crop.double()) for crop in batch.split(1)])
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, batch of {BATCH}")
    settings: dict[str, tuple[Callable[[], nn.Module], torch.dtype, bool]] = {
        "MONAI": (lambda: single, torch.float32, False),
        "MONAI, flag, compiled": (lambda: monai_like(own, flag=True), torch.float16, True),
        "own": (lambda: own, torch.float32, False),
        "own, half": (lambda: own, torch.float16, False),
        "own, half, compiled": (lambda: own, torch.float16, True),
    }
    rates, good = {}, True
    for name, (build, dtype, compiled) in settings.items():
        network = deepcopy(build()).to("cuda", dtype)
        run = graphed(network) if compiled else network
        rates[name], error = rate(run, batch.to(dtype)), relative(run(batch.to(dtype)), exact)
        good &= error < WANTED_ERROR[dtype]
        print(
            f"  {name:22} {rates[name]:7.1f} crops/s, {rates[name] / rates['MONAI']:5.2f} of "
            f"MONAI in float32, error {error:.1e}"
        )
    fastest = rates["own, half, compiled"]
    to_single, to_best = fastest / rates["MONAI"], fastest / rates["MONAI, flag, compiled"]
    print(f"  own to MONAI in float32 {to_single:.2f}, wanted {WANTED_SINGLE}")
    print(f"  own to MONAI's best {to_best:.2f}, wanted {WANTED_BEST}")
    return good and to_single >= WANTED_SINGLE and to_best >= WANTED_BEST


def graphed(network: nn.Module) -> Network:
    """Compile a network into CUDA graphs."""
    compiled: Network = torch.compile(network, mode="reduce-overhead", dynamic=False)
    return compiled


def rate(network: Network, batch: Tensor) -> float:
    """Return crops per second: the median of rounds, after compilation and capture."""
    for _ in range(4):
        network(batch)
    taken = []
    for _ in range(GPU_ROUNDS):
        torch.cuda.synchronize()
        started = time.perf_counter()
        network(batch)
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return len(batch) / statistics.median(taken)


def lively_encoder(architecture: Architecture) -> SwinEncoder:
    """Draw an encoder whose attention and biases matter, as a trained one's do."""
    encoder = random_encoder(architecture, channels=3, merging="fixed", seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if name.endswith(("table", "bias")):
                parameter.normal_(0, 0.3, generator=generator)
            if ".qkv." in name:
                parameter.mul_(2)
    return encoder


def monai_like(own: SwinEncoder, *, flag: bool) -> MonaiEncoder:
    """Return MONAI's network with the same weights."""
    encoder = MonaiEncoder(FULL, flag=flag).eval()
    encoder.load_state_dict(own.state_dict())
    return encoder


def crops(count: int) -> Tensor:
    """Draw crops (count, 3, 96, 96, 96), 0 to 1."""
    edge = FULL.size_voxels
    return torch.rand((count, 3, edge, edge, edge), generator=torch.Generator().manual_seed(2))


def relative(found: Tensor, exact: Tensor) -> float:
    """Return the norm of the difference, relative to the exact one's."""
    return float((found.to(exact) - exact).norm() / exact.norm())


if __name__ == "__main__":
    sys.exit(main())
