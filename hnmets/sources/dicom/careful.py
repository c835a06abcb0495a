"""Around every call of a DICOM library: quiet, and what it raises becomes a coded error."""

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from hnmets.domain.errors import CaseError, Code

# What pydicom and highdicom raise over files that are not what they say. Memory and time are the
# executor's to watch.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_LOGGERS = ("pydicom", "highdicom")


@contextmanager
def careful(
    code: Code = Code.IMAGE_CORRUPT, what: str = "the file cannot be read"
) -> Iterator[None]:
    """Read inside this block: nothing that a library says of a value gets out.

    Warnings and messages quote the header, and so may name the patient: they are dropped, and of
    an exception only its kind is told.

    Raises
    ------
    CaseError
        With the given code where the library fails.
    """
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CaseError:
        raise
    except _DAMAGE as error:
        raise CaseError(code, f"{what} ({type(error).__name__})") from None
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
