"""Where a service has its model from, and the values of the cases that the store knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hnmets.registry.inputs import InputTable
from hnmets.registry.package import Package
from hnmets.registry.predictor import Predictor


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """A model that answers.

    Parameters
    ----------
    identity
        Digest of its package, as the registry knows it.
    """

    name: str
    version: int
    identity: str
    predictor: Predictor


class ModelSource(Protocol):
    """What a service asks; the workflows answer from registry and store."""

    def current(self) -> str | None:
        """Return the identity of the model that has to answer; None where there is none."""
        ...

    def load(self) -> Loaded:
        """Open the model that has to answer; raise an HnmetsError where it cannot be."""
        ...

    def lookup(self, package: Package, case_ids: Sequence[str], /) -> InputTable:
        """Return what the store knows of cases; raise an HnmetsError where it does not."""
        ...
