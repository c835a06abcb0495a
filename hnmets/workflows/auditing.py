"""Which regions are measured twice: a lot decides, and the same lot on every machine."""

import hashlib
from collections.abc import Iterable
from math import ceil

from hnmets.domain.errors import HnmetsError, UsageError
from hnmets.extractors.radiomics_audit import TOLERANCE, Verdict

Pair = tuple[str, str]
"""A case and the fingerprint of a recipe."""

# One may be a case that PyRadiomics itself measures oddly; three are an engine that errs.
_TOO_MANY = 3


class AuditFailedError(HnmetsError):
    """The fast engine does not give PyRadiomics' values on this machine or these images."""

    def __init__(self, untrue: list[Verdict]) -> None:
        seen = "; ".join(map(str, untrue))
        super().__init__(
            f"{len(untrue)} regions differ from PyRadiomics by more than {TOLERANCE:g}: {seen}"
        )
        self.add_note('Set engine = "pyradiomics" in [radiomics.parameters], and report it.')


def drawn(pairs: Iterable[Pair], *, percent: float) -> frozenset[Pair]:
    """Draw a share of pairs, and one at least where the share is not 0.

    Raises
    ------
    UsageError
        If the share is no percentage.
    """
    if not 0 <= percent <= 100:
        raise UsageError(f"an audit of {percent:g} % is not possible").with_note(
            "Give a number from 0 to 100."
        )
    ordered = sorted(set(pairs), key=_lot)
    return frozenset(ordered[: ceil(percent / 100 * len(ordered))])


def stop_if_untrue(verdicts: Iterable[Verdict]) -> None:
    """End a build whose engine errs.

    Raises
    ------
    AuditFailedError
        If three regions failed.
    """
    untrue = [verdict for verdict in verdicts if not verdict.is_true]
    if len(untrue) >= _TOO_MANY:
        raise AuditFailedError(untrue)


def _lot(pair: Pair) -> bytes:
    return hashlib.sha256("\n".join(pair).encode()).digest()
