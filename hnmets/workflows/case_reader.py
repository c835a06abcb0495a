"""Read one case: CT and masks through every check, regions drawn and derived."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.case import Case, ImagedCase
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import RegionRule
from hnmets.imaging.alteration import Alteration, altered_case
from hnmets.imaging.orientation import canonical
from hnmets.sources.nifti import read_ct, read_mask
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A case to be read; travels to worker processes.

    Parameters
    ----------
    rules
        Regions to build, by name.
    memory_gib
        Larger images are refused from their header.
    alteration
        Control or perturbation that the case goes through; none by default.
    """

    case: Case
    rules: Mapping[str, RegionRule]
    memory_gib: float
    alteration: Alteration | None = None


@dataclass(frozen=True, kw_only=True)
class ReadCase:
    """A case that passed every check.

    Parameters
    ----------
    digests
        SHA-256 of each file that was read, by path.
    """

    case: ImagedCase
    digests: Mapping[str, str]


def readings_of(study: Study, cases: Iterable[Case]) -> list[Reading]:
    """Return the cases that have an image, each to be read with all regions of the study."""
    return [
        Reading(case=case, rules=study.regions, memory_gib=study.build.memory_limit_gib)
        for case in cases
        if case.image is not None
    ]


def read_case(reading: Reading) -> ReadCase:
    """Read a case's files once and build its regions.

    Raises
    ------
    CaseError
        If a file or a region cannot be used; the code says why.
    """
    case, rules, memory_gib = reading.case, reading.rules, reading.memory_gib
    if case.image is None:
        raise CaseError(Code.IMAGE_MISSING, "the cohort names no image for this case")
    with _about(case.image):
        ct = read_ct(case.image, memory_gib=memory_gib)
    masks = {}
    for path in dict.fromkeys(case.masks[name] for name in rules if name in case.masks):
        with _about(path):
            masks[path] = read_mask(path, memory_gib=memory_gib)
    turned = {path: canonical(mask.volume) for path, mask in masks.items()}
    hu, regions = altered_case(
        reading.alteration,
        rules,
        ct=canonical(ct.volume),
        labelmaps={name: turned[path] for name, path in case.masks.items() if name in rules},
        case_id=case.case_id,
    )
    return ReadCase(
        case=ImagedCase(case_id=case.case_id, ct=hu, regions=regions, flags=ct.flags),
        digests={
            str(case.image): ct.digest,
            **{str(path): mask.digest for path, mask in masks.items()},
        },
    )


@contextmanager
def _about(file: Path) -> Iterator[None]:
    """Say which file a problem is about; its folder is nobody's business."""
    try:
        yield
    except CaseError as error:
        raise CaseError(error.code, f"{file.name}: {error.detail}") from None
