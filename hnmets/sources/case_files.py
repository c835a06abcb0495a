"""The files of each case: its CT and the masks of its regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import DrawnRegion
from hnmets.sources.location import DataFolder, fill
from hnmets.sources.manifest import Entry


@dataclass(frozen=True, kw_only=True)
class CaseFiles:
    """Files that exist below the data folder.

    Parameters
    ----------
    image
        None in a cohort of tables only.
    masks
        By region; an optional region that the case lacks is absent.
    """

    image: Path | None = None
    masks: Mapping[str, Path] = field(default_factory=dict)


def find_files(
    entry: Entry, *, image: str | None, regions: Mapping[str, DrawnRegion], folder: DataFolder
) -> CaseFiles:
    """Return the files of one case.

    Raises
    ------
    CaseError
        E_IMG_MISSING or E_PATH, naming the image or the region.
    """
    if image is None:
        return CaseFiles()
    ct = _locate(fill(image, entry.case_id, entry.cells), "image", folder)
    masks = {}
    for name, rule in regions.items():
        text = fill(rule.mask, entry.case_id, entry.cells)
        try:
            masks[name] = _locate(text, f"mask of {name}", folder)
        except CaseError as error:
            if not rule.optional or error.code != Code.IMAGE_MISSING:
                raise
    return CaseFiles(image=ct, masks=masks)


def _locate(text: str, what: str, folder: DataFolder) -> Path:
    if not text:
        raise CaseError(Code.IMAGE_MISSING, f"{what}: the manifest names none")
    try:
        return folder.locate(text)
    except CaseError as error:
        raise CaseError(error.code, f"{what}: {error.detail}") from None


def shared_images(
    entries: Sequence[Entry], files: Sequence[CaseFiles]
) -> tuple[dict[int, CaseError], list[str]]:
    """Return which places share an image across patients, and what one patient shares.

    One CT may show two tumours of a patient; under two patients it would stand in training
    and in test.
    """
    groups: dict[Path, list[int]] = {}
    for place, found in enumerate(files):
        if found.image is not None:
            groups.setdefault(found.image.resolve(), []).append(place)
    errors: dict[int, CaseError] = {}
    notes: list[str] = []
    for path, places in groups.items():
        cases = ", ".join(f"'{entries[place].case_id}'" for place in places)
        if len({entries[place].patient_id for place in places}) > 1:
            error = CaseError(Code.IMAGE_DUPLICATE, f"'{path.name}' is the image of {cases}")
            errors |= dict.fromkeys(places, error)
        elif len(places) > 1:
            notes.append(f"cases {cases} of one patient share the image '{path.name}'")
    return errors, notes
