"""Which CT, and which contours for which role: decided from headers, before a pixel is read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import Scalar
from hnmets.sources.dicom.instance import Instance
from hnmets.sources.dicom.kind import CONTOURED, Kind
from hnmets.sources.dicom.references import NamedRegion
from hnmets.sources.dicom.region_names import Reading, Verdict, read_name
from hnmets.sources.dicom.region_rules import RegionRules
from hnmets.sources.dicom.vocabulary import shown_region

_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A region of one object, to be made a mask."""

    source: Instance
    region: NamedRegion
    reading: Reading

    @property
    def shown(self) -> str:
        """The region's name as it may be written down."""
        return shown_region(self.region.name)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be read of a patient.

    Parameters
    ----------
    series
        Of the CT, hashed.
    ct
        Its files.
    drawings
        By role, in the rules' order; an optional role without one is absent.
    flags
        What was let pass while choosing.
    """

    series: str
    ct: tuple[Instance, ...]
    drawings: Mapping[str, tuple[Drawing, ...]]
    flags: Mapping[str, Scalar] = field(default_factory=dict)


def plan(patient: str, instances: Sequence[Instance], rules: RegionRules) -> Plan:
    """Decide what to read of one patient.

    Raises
    ------
    CaseError
        E_DICOM_SERIES, E_RT_REF, E_ROI_ABSENT or E_ROI_AMBIGUOUS: nothing is guessed.
    """
    series = _ct_series(instances)
    objects, copies = _without_copies(i for i in instances if i.kind in CONTOURED)
    if not objects:
        raise CaseError(Code.REGION_ABSENT, "no structure set or segmentation beside the CT")
    placed, refused = _placed(objects, series, chosen=rules.choose.series.get(patient))
    useful = [(each, name) for each, name in placed if _has_role(each, rules)]
    if not placed and refused:
        raise refused[0]
    name = _one_series(placed, useful)
    drawings = _drawings([each for each, its in useful if its == name], rules)
    _require_roles(drawings, [each for each, its in placed if its == name], rules)
    _require_frame(drawings, series[name])
    flags: dict[str, Scalar] = {
        "structure_sets_without_ct": len(refused),
        "copies_of_structure_sets": copies,
        "matched_by_frame_of_reference": any(
            not drawing.source.references.series for each in drawings.values() for drawing in each
        ),
        "header_differs_between_slices": len({i.acquisition for i in series[name]}) > 1,
        "derived_series": any(plane.derived for i in series[name] for plane in i.planes),
    }
    return Plan(
        series=name,
        ct=tuple(series[name]),
        drawings=drawings,
        flags={flag: value for flag, value in flags.items() if value},
    )


def _ct_series(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    series: dict[str, list[Instance]] = {}
    kinds: Counter[Kind] = Counter()
    for instance in instances:
        kinds[instance.kind] += 1
        if instance.kind is Kind.CT:
            series.setdefault(instance.series, []).append(instance)
    if not series:
        listed = ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items()))
        raise CaseError(Code.DICOM_SERIES, f"there is no CT, but {listed}")
    return dict(sorted(series.items()))


def _without_copies(objects: Iterable[Instance]) -> tuple[list[Instance], int]:
    found: dict[str, Instance] = {}
    copies = 0
    for each in objects:
        key = each.sop or str(each.path)
        copies += key in found
        found.setdefault(key, each)
    return list(found.values()), copies


def _placed(
    objects: Sequence[Instance], series: Mapping[str, Sequence[Instance]], *, chosen: str | None
) -> tuple[list[tuple[Instance, str]], list[CaseError]]:
    """Return the objects that belong to a CT of the export, and why others do not."""
    placed: list[tuple[Instance, str]] = []
    refused: list[CaseError] = []
    for each in objects:
        try:
            placed.append((each, _series_of(each, series, chosen)))
        except CaseError as error:
            refused.append(error)
    # Where several CTs are possible for one object, none is taken for another's sake.
    unclear = next((error for error in refused if error.code is Code.DICOM_SERIES), None)
    if unclear:
        raise unclear
    if chosen is not None:
        placed = [(each, name) for each, name in placed if name == chosen]
        if not placed and not refused:
            raise CaseError(Code.DICOM_SERIES, f"the rules choose {chosen}, which has no contours")
    return placed, refused


def _series_of(
    each: Instance, series: Mapping[str, Sequence[Instance]], chosen: str | None
) -> str:
    named = [name for name in each.references.series if name in series]
    if each.references.series and not named:
        raise CaseError(
            Code.STRUCTURE_REFERENCE,
            f"the {each.kind} refers to a series that is no CT of this patient in the export",
        )
    candidates = named or [
        name
        for name, ct in series.items()
        if ct[0].frame and ct[0].frame in each.references.frames
    ]
    if chosen in candidates:
        candidates = [chosen]
    if len(candidates) > 1:
        raise CaseError(
            Code.DICOM_SERIES,
            f"the {each.kind} fits {len(candidates)} CT series: {', '.join(candidates[:_SHOWN])}",
        )
    if not candidates or not _same_frame(each, series[candidates[0]]):
        raise CaseError(
            Code.STRUCTURE_REFERENCE,
            f"the {each.kind} lies in another frame of reference than the CT",
        )
    return candidates[0]


def _same_frame(each: Instance, ct: Sequence[Instance]) -> bool:
    frames = {instance.frame for instance in ct}
    return not each.references.frames or frames <= {"", *each.references.frames}


def _has_role(each: Instance, rules: RegionRules) -> bool:
    readings = (read_name(region.name, rules) for region in each.references.regions)
    return any(reading.verdict in {Verdict.ROLE, Verdict.AMBIGUOUS} for reading in readings)


def _one_series(
    placed: Sequence[tuple[Instance, str]], useful: Sequence[tuple[Instance, str]]
) -> str:
    names = sorted({name for _, name in useful or placed})
    if len(names) > 1:
        raise CaseError(
            Code.DICOM_SERIES, f"{len(names)} CT series have contours: {', '.join(names[:_SHOWN])}"
        )
    return names[0]


def _drawings(objects: Sequence[Instance], rules: RegionRules) -> dict[str, tuple[Drawing, ...]]:
    found: dict[str, list[Drawing]] = {}
    for each in objects:
        for region in each.references.regions:
            reading = read_name(region.name, rules)
            if reading.role is not None:
                found.setdefault(reading.role, []).append(
                    Drawing(source=each, region=region, reading=reading)
                )
    return {role: _settled(role, found[role], rules) for role in rules.roles if role in found}


def _settled(role: str, found: Sequence[Drawing], rules: RegionRules) -> tuple[Drawing, ...]:
    """Return the drawings of a role that count, by the rules' policies."""
    sources = {drawing.source.path for drawing in found}
    if len(sources) > 1:
        found = _latest(role, found, rules)
    if len(found) > 1 and rules.roles[role].several == "refuse":
        raise CaseError(
            Code.REGION_AMBIGUOUS, f"several regions could be the {role}: {_listed(found)}"
        )
    return tuple(found)


def _latest(role: str, found: Sequence[Drawing], rules: RegionRules) -> list[Drawing]:
    days = {drawing.source.path: drawing.source.day for drawing in found}
    known = [day for day in days.values() if day is not None]
    newest = max(known, default=None)
    last = [path for path, day in days.items() if day == newest]
    clear = len(known) == len(days) and len(last) == 1
    if rules.choose.structure_set == "only" or not clear:
        raise CaseError(
            Code.REGION_AMBIGUOUS,
            f"{len(days)} structure sets have a {role}: {_listed(found)}",
        )
    return [drawing for drawing in found if drawing.source.path == last[0]]


def _listed(drawings: Sequence[Drawing]) -> str:
    return ", ".join(f"'{drawing.shown}'" for drawing in drawings[:_SHOWN])


def _require_roles(
    drawings: Mapping[str, object], objects: Sequence[Instance], rules: RegionRules
) -> None:
    absent = [role for role, rule in rules.roles.items() if rule.required and role not in drawings]
    if not absent:
        return
    names = [region.name for each in objects for region in each.references.regions]
    unclear = [
        name
        for name in names
        if (reading := read_name(name, rules)).verdict is Verdict.AMBIGUOUS
        and absent[0] in reading.roles
    ]
    listed = ", ".join(f"'{shown_region(name)}'" for name in (unclear or names)[:_SHOWN])
    if unclear:
        raise CaseError(
            Code.REGION_AMBIGUOUS, f"the rules read {listed} as {absent[0]} and as something else"
        )
    raise CaseError(
        Code.REGION_ABSENT, f"no name means {absent[0]}; there are: {listed or 'none'}"
    )


def _require_frame(drawings: Mapping[str, Sequence[Drawing]], ct: Sequence[Instance]) -> None:
    for role, parts in drawings.items():
        for drawing in parts:
            if drawing.region.frame and ct[0].frame and drawing.region.frame != ct[0].frame:
                raise CaseError(
                    Code.STRUCTURE_REFERENCE,
                    f"the {role} was drawn in another frame of reference than the CT's",
                )
