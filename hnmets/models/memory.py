"""Whether memory was what was lacking."""

import torch


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error says that the memory of a device, or of the machine, is full."""
    # The CPU's allocator, cuBLAS and cuDNN raise a plain RuntimeError.
    plain = ("DefaultCPUAllocator", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in plain)
