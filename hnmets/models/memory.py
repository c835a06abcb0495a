"""Memory of a device or of the machine: whether it was lacking, and that it is used again."""

import torch


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error says that the memory of a device, or of the machine, is full."""
    # The CPU's allocator, cuBLAS and cuDNN raise a plain RuntimeError.
    plain = ("DefaultCPUAllocator", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in plain)


def keep_freed_memory() -> None:
    """Have the C library keep what large tensors leave behind, for the next ones.

    Otherwise each step's gradients are fresh memory, and clearing that can cost more than
    computing them. glibc keeps what is smaller than the largest block that was freed, up to
    32 MiB: freeing one of nearly that size, never written to, is all it takes. Other libraries
    are left as they are.

    References
    ----------
    mallopt(3), M_MMAP_THRESHOLD.
    """
    torch.empty(2**25 - 2**16, dtype=torch.uint8)
