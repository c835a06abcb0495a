"""What the extractors of a region share: finding its parts, and naming how it came about."""

from collections.abc import Mapping
from dataclasses import asdict

from feature_store.recipe import Json
from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import DrawnRegion, Region, RegionRule, RingRegion


def parts_of(case: ImagedCase, region: str) -> tuple[Region, ...]:
    """Return the parts of a region; none where the region is optional and the case lacks it.

    Raises
    ------
    CaseError
        If the region was never looked for, or a part of it holds no voxel.
    """
    parts = case.regions.get(region)
    if parts is None:
        known = ", ".join(case.regions) or "none"
        raise CaseError(Code.REGION_EMPTY, f"no region '{region}'; the case has: {known}")
    if not all(part.mask.any() for part in parts):
        raise CaseError(Code.REGION_EMPTY, f"region '{region}' holds no voxel")
    return parts


def around_of(rules: Mapping[str, RegionRule], region: str) -> DrawnRegion | None:
    """Return the rule of the region that a ring lies around; None for a drawn region."""
    rule = rules[region]
    around = rules.get(rule.around) if isinstance(rule, RingRegion) else None
    return around if isinstance(around, DrawnRegion) else None


def rule_identity(rule: RegionRule, around: DrawnRegion | None) -> dict[str, Json]:
    """Return what makes a region, and what a ring lies around, as JSON.

    Where the mask lies on disk and which regions are refused do not change a value: the files
    are known by their content.
    """
    if isinstance(rule, DrawnRegion):
        return {"label": rule.label, "parts": rule.parts}
    identity: dict[str, Json] = dict(asdict(rule))
    if around is not None:
        identity["around_rule"] = rule_identity(around, None)
    return identity
