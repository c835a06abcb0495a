"""Sections of the study file that belong to no single stage."""

import os
from dataclasses import dataclass, field, fields
from pathlib import Path

from hnmets.execution.base import Limits
from hnmets.extractors.embedding import Variant
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.extractors.radiomics_parameters import RadiomicsParameters


def _cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class About:
    """The study itself.

    Parameters
    ----------
    name
        What people call it.
    store
        Folder of the feature store, relative to the study file.
    """

    name: str
    store: Path = Path("store")


@dataclass(frozen=True, kw_only=True)
class RadiomicsSection:
    """What is measured by radiomics.

    Parameters
    ----------
    regions
        Regions and rings by name; by default `tumour` and every ring.
    parameters
        How.
    """

    regions: tuple[str, ...] | None = None
    parameters: RadiomicsParameters = field(default_factory=RadiomicsParameters)


@dataclass(frozen=True, kw_only=True)
class EmbeddingSection(EmbeddingParameters):
    """What the deep branch sees, and by which network; a relative weights path starts here.

    Parameters
    ----------
    variants
        One feature set each: tumour and ring together, the tumour alone, the ring alone.
    tumour, ring
        Names of the regions that the crop is cut around.
    """

    variants: tuple[Variant, ...] = ("both", "tumour", "ring")
    tumour: str = "tumour"
    ring: str = "ring"

    def parameters(self, folder: Path) -> EmbeddingParameters:
        """Return the settings of the network, its weights found from the study's folder."""
        own = {field.name: getattr(self, field.name) for field in fields(EmbeddingParameters)}
        if self.weights is not None:
            own["weights"] = folder / self.weights
        return EmbeddingParameters(**own)


@dataclass(frozen=True, kw_only=True)
class SizeSection:
    """Whose size is measured.

    Parameters
    ----------
    regions
        Regions by name; by default `tumour` and `nodes`.
    """

    regions: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class BuildSection:
    """How a build uses the machine; nothing of it changes a value.

    Parameters
    ----------
    jobs
        Worker processes; by default one per core.
    time_limit_s, memory_limit_gib
        What one case may use before it is stopped and quarantined.
    """

    jobs: int = field(default_factory=_cores)
    time_limit_s: float = 900.0
    memory_limit_gib: float = 8.0

    def __post_init__(self) -> None:
        """Check that work is possible at all."""
        if self.jobs < 1:
            raise ValueError("`jobs` is at least 1")
        if min(self.time_limit_s, self.memory_limit_gib) <= 0:
            raise ValueError("`time_limit_s` and `memory_limit_gib` must be above 0")

    @property
    def limits(self) -> Limits:
        """The limits as the executor takes them."""
        return Limits(time_s=self.time_limit_s, memory_gib=self.memory_limit_gib)
