"""How this package's loops are compiled: by numba, once per installation, kept on disk."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call.

    Without `fastmath`: sums keep the order in which they are written, so that the bits are those
    of ITK and PyRadiomics and do not depend on the number of threads.
    """
    try:
        loop = njit(cache=True, error_model="numpy")(function)
    except RuntimeError:
        # Nowhere to keep it: neither the package nor the user's cache folder can be written.
        loop = njit(error_model="numpy")(function)
    # numba is untyped; the compiled function keeps the signature of the Python one.
    return cast(Callable[P, R], loop)
