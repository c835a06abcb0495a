"""Which device heads are trained on."""

from typing import Literal, get_args

from hnmets.domain.errors import UsageError

Device = Literal["auto", "cpu", "cuda"]


def used(wanted: str) -> str:
    """Return `cpu` or `cuda`.

    Raises
    ------
    UsageError
        If there is no such device on this machine.
    """
    if wanted not in get_args(Device):
        raise UsageError(f"no device '{wanted}'").with_note("There are auto, cpu and cuda.")
    if wanted == "cpu":
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UsageError("there is no CUDA device on this machine").with_note("Use --device cpu.")
    return "cuda" if available else "cpu"
