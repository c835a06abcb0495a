"""Sections of the study file that belong to no single stage."""

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from hnmets.datasets.view import Policy
from hnmets.domain.variant import Variant
from hnmets.execution.base import Limits
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.models.names import ModelName
from hnmets.reporting.tripod_items import TRIPOD_ITEMS

# What a study's table may tell of how an image was made.
ACQUISITION = (
    "scanner",
    "manufacturer",
    "kvp",
    "kernel",
    "contrast",
    "slice_thickness",
    "year",
)


def _known_item(number: str) -> str:
    if number not in {item.number for item in TRIPOD_ITEMS}:
        raise ValueError(f"TRIPOD+AI has no item '{number}': its parts are called '3b' or '17'")
    return number


TripodNumber = Annotated[str, AfterValidator(_known_item)]


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
class View:
    """A rung of the study's own.

    Parameters
    ----------
    name
        What people call it: `age + sex`.
    features
        Feature sets, families or single columns: `radiomics.tumour`, `radiomics`,
        `clinical.age`.
    model
        What learns from them.
    """

    name: str
    features: tuple[str, ...]
    model: ModelName = "elastic-net"

    def __post_init__(self) -> None:
        """Check that the view sees anything."""
        if not self.features:
            raise ValueError("`features` names nothing")


@dataclass(frozen=True, kw_only=True)
class EvaluationSection:
    """How rungs are measured and compared.

    Parameters
    ----------
    views
        Rungs of the study's own; they stand before the others.
    policy
        `complete-case` leaves out cases that lack a feature set; `modality-missing` keeps them,
        the absent values imputed within each fold.
    date
        The clinical variable, of type `date`, that a split by time goes by.
    by_months
        Horizon of the numbers that say "by when", in months of 30.4375 days from diagnosis;
        they need the outcome's times.
    draws
        Resamples of the patients behind an interval.
    family
        Rungs whose comparison with clinical + size is announced before the data are looked at;
        all other comparisons are exploratory.
    subgroups
        `centre` and clinical variables by which the cohort is divided; by default those of
        centre, sex, age, site, subsite, stage, group_stage, t_stage, n_stage, hpv, p16 and
        scanner that the study declares. Ages are banded: under 50, 50 to 64, 65 to 74, 75 and
        over.
    acquisition
        Clinical variables that tell how the image was made, for the audit of shortcuts; by
        default those of scanner, manufacturer, kvp, kernel, contrast, slice_thickness and year
        that the study declares. What the image file tells is always among them.
    """

    views: tuple[View, ...] = ()
    policy: Policy = "complete-case"
    date: str = ""
    by_months: float = 24.0
    draws: int = 2000
    family: tuple[str, ...] = ("radiomics", "embedding both", "all", "all, fused")
    subgroups: tuple[str, ...] | None = None
    acquisition: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check that an interval is possible, and that names tell views apart."""
        if self.by_months <= 0:
            raise ValueError("`by_months` lies after the diagnosis")
        if self.draws < 100:
            raise ValueError("`draws` is at least 100")
        if len({view.name for view in self.views}) < len(self.views):
            raise ValueError("two views have one name")


@dataclass(frozen=True, kw_only=True)
class ControlsSection:
    """What negative controls and perturbations share.

    Parameters
    ----------
    seed
        Of their random numbers; another seed is another recipe.
    region
        The drawn region whose inside and outside controls tell apart.
    """

    seed: int = 0
    region: str = "tumour"


@dataclass(frozen=True, kw_only=True)
class BuildSection:
    """How a build uses the machine; nothing of it changes a value.

    Parameters
    ----------
    jobs
        Worker processes; by default one per core.
    time_limit_s, memory_limit_gib
        What one case may use before it is stopped and quarantined.
    audit_percent
        Share of the regions that PyRadiomics measures too, to see whether the fast engine is
        true; one region at least, unless it is 0.
    """

    jobs: int = field(default_factory=_cores)
    time_limit_s: float = 900.0
    memory_limit_gib: float = 8.0
    audit_percent: float = 1.0

    def __post_init__(self) -> None:
        """Check that work is possible at all."""
        if self.jobs < 1:
            raise ValueError("`jobs` is at least 1")
        if min(self.time_limit_s, self.memory_limit_gib) <= 0:
            raise ValueError("`time_limit_s` and `memory_limit_gib` must be above 0")
        if not 0 <= self.audit_percent <= 100:
            raise ValueError("`audit_percent` must lie between 0 and 100")

    @property
    def limits(self) -> Limits:
        """The limits as the executor takes them."""
        return Limits(time_s=self.time_limit_s, memory_gib=self.memory_limit_gib)
