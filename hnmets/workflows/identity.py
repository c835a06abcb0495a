"""The inputs of a row by their content: which files it stands on, and their digest."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from hnmets.domain.case import Case
from hnmets.domain.region import RegionRule, RingRegion


def files_of(
    case: Case, rules: Mapping[str, RegionRule], regions: Iterable[str]
) -> tuple[Path, ...]:
    """Return the files that features of these regions are read from: CT, then masks.

    A mask that an optional region lacks is left out.
    """
    drawn = sorted({drawn_region(rules, region) for region in regions})
    masks = [case.masks[name] for name in drawn if name in case.masks]
    return tuple(dict.fromkeys([*([case.image] if case.image else []), *masks]))


def drawn_region(rules: Mapping[str, RegionRule], region: str) -> str:
    """Return the drawn region that a region stands on: a ring stands on what it is around."""
    rule = rules[region]
    return rule.around if isinstance(rule, RingRegion) else region


def digest_of_files(files: Iterable[Path], digests: Mapping[str, str]) -> str | None:
    """Return one digest for a row's files, or None while one of them was never read."""
    found = [digests.get(str(file)) for file in files]
    if None in found:
        return None
    return hashlib.sha256(" ".join(map(str, found)).encode()).hexdigest()
