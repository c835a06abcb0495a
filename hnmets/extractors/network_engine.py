"""Runs crops through the network: device, precision, batches."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hnmets.domain.errors import CaseError, Code, UsageError
from hnmets.extractors.embedding_parameters import Device, EmbeddingParameters, Precision
from hnmets.networks.backbones import encoder_of
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import SwinEncoder
from hnmets.networks.weights import pretrained_encoder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An encoder on its device.

    Parameters
    ----------
    encoder
        In evaluation mode; crops in, one vector each out.
    device
        Where it lies.
    precision
        `half` runs weights and activations in float16.
    batch_size
        Crops that go through together.
    compiled
        Whether whole batches run as a compiled CUDA graph.
    """

    encoder: nn.Module
    device: torch.device
    precision: Precision
    batch_size: int
    compiled: bool = False

    @property
    def made_with(self) -> Mapping[str, str]:
        """What is recorded beside each row."""
        on_gpu = self.device.type == "cuda"
        return {
            "torch": str(torch.__version__),
            "device": torch.cuda.get_device_name(self.device) if on_gpu else "cpu",
            "precision": "float16" if self.precision == "half" else "float32",
        }

    def embed(
        self, inputs: Iterable[NDArray[np.float32]]
    ) -> Iterator[NDArray[np.float32] | CaseError]:
        """Embed inputs (channels, D, H, W): one float32 vector, or its failure, for each.

        Inputs are taken as they are needed, a batch at a time.
        """
        waiting = iter(inputs)
        while batch := list(islice(waiting, self.batch_size)):
            yield from self._batch(batch)

    def _batch(
        self, inputs: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32] | CaseError]:
        """Run a batch; where that fails, its halves, so that a bad crop fails alone."""
        try:
            return [self._within_range(vector) for vector in self._run(np.stack(inputs))]
        except RuntimeError as error:
            failure = str(error).splitlines()[0]
            if len(inputs) == 1:
                return [CaseError(_code_of(error), failure[:200])]
            _log.info("a batch of %d failed (%s); halved", len(inputs), failure)
        # Outside of the handler: the traceback would hold the memory that the halves need.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        middle = len(inputs) // 2
        return self._batch(inputs[:middle]) + self._batch(inputs[middle:])

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        dtype = torch.float16 if self.precision == "half" else torch.float32
        crops = torch.from_numpy(batch).to(self.device, dtype)
        # A graph is for one shape: the last batch, and halves, run without.
        whole = self.compiled and len(batch) == self.batch_size
        network = _compiled(self.encoder) if whole else self.encoder
        # TF32, cuDNN's default for convolutions, keeps 3 digits; `single` promises more.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            vectors: NDArray[np.float32] = network(crops).float().cpu().numpy()
        return vectors

    def _within_range(self, vector: NDArray[np.float32]) -> NDArray[np.float32] | CaseError:
        """Return the vector, or the failure of a crop that left the range of float16.

        It is not computed again in float32: all rows of a recipe are of one precision.
        """
        if self.precision == "single" or np.isfinite(vector).all():
            return vector
        count = int((~np.isfinite(vector)).sum())
        return CaseError(
            Code.EXTRACTOR,
            f"half precision overflows, {count} values are not finite; "
            "[embedding] precision 'single' has the range",
        )


def engine_of(parameters: EmbeddingParameters, *, channels: int) -> Engine:
    """Return the engine of a recipe; its network is built once per process.

    Raises
    ------
    WeightsError
        If the weights cannot be used.
    UsageError
        If a GPU was asked for and there is none.
    """
    device = device_of(parameters.device, parameters.precision)
    # What steers the run alone shall not build the network again.
    network = replace(parameters, batch_size=1, device="auto", compiled=False)
    encoder = _placed(network, parameters.weights_sha256, channels=channels, device=device)
    return Engine(
        encoder=encoder,
        device=torch.device(device),
        precision=parameters.precision,
        # A CPU gains nothing from a batch. Alone, a crop gives the same bits in any company.
        batch_size=parameters.batch_size if device == "cuda" else 1,
        compiled=parameters.compiled and device == "cuda",
    )


@lru_cache(maxsize=1)
def _compiled(encoder: nn.Module) -> Callable[[Tensor], Tensor]:
    """Compile an encoder once; a captured graph does not own the weights, the cache does."""
    compiled: Callable[[Tensor], Tensor] = torch.compile(
        encoder, mode="reduce-overhead", fullgraph=True, dynamic=False
    )
    return compiled


def encoder_with(parameters: EmbeddingParameters, sha256: str | None, *, channels: int) -> Encoder:
    """Build the network of a recipe on the CPU, its weights drawn or read.

    Parameters
    ----------
    sha256
        Digest of the weights file that was planned with; None for random weights.

    Raises
    ------
    WeightsError
        If the weights cannot be used.
    """
    if parameters.weights is None or sha256 is None:
        return encoder_of(
            parameters.backbone,
            parameters.architecture,
            channels=channels,
            merging=parameters.merges,
            seed=parameters.seed,
        )
    encoder, loaded = pretrained_encoder(
        parameters.architecture,
        channels=channels,
        merging=parameters.merges,
        path=parameters.weights,
        sha256=sha256,
    )
    _log.info("%.1f %% of the backbone from %s", 100 * loaded.share, parameters.weights.name)
    return encoder


def device_of(wanted: Device, precision: Precision) -> Literal["cpu", "cuda"]:
    """Return where networks run.

    Raises
    ------
    UsageError
        If a GPU was asked for and there is none.
    """
    available = torch.cuda.is_available()
    if not available and (wanted == "cuda" or precision == "half"):
        asked = "half precision" if precision == "half" else "device 'cuda'"
        raise UsageError(f"{asked} needs a GPU, and torch finds none").with_note(
            "Set [embedding] device to 'cpu' and precision to 'single'."
        )
    return "cuda" if available and wanted != "cpu" else "cpu"


# Variants of one network come one after the other.
@lru_cache(maxsize=1)
def _placed(
    parameters: EmbeddingParameters,
    sha256: str | None,
    *,
    channels: int,
    device: Literal["cpu", "cuda"],
) -> Encoder:
    encoder = encoder_with(parameters, sha256, channels=channels)
    # Nothing is trained here, so that the position biases of a Swin are computed once.
    encoder.requires_grad_(requires_grad=False)
    if isinstance(encoder, SwinEncoder):
        encoder.lay_out(parameters.crop.size_voxels)
    return encoder.to(device, torch.float16 if parameters.precision == "half" else torch.float32)


def _code_of(error: RuntimeError) -> Code:
    # The CPU's allocator raises a plain RuntimeError.
    out_of_memory = isinstance(error, torch.OutOfMemoryError) or "memory" in str(error)
    return Code.MEMORY if out_of_memory else Code.EXTRACTOR
