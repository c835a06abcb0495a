"""What a study file must not say, although each setting is well-formed."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from hnmets.domain.region import DrawnRegion, RegionRule, RingRegion
from hnmets.sources.clinical import ClinicalRule
from hnmets.sources.foresight import future_word
from hnmets.sources.location import placeholders
from hnmets.sources.manifest import CohortRule
from hnmets.sources.outcomes import OutcomeRule
from hnmets.workflows.grouping import CENTRE, why_no_groups
from hnmets.workflows.study_errors import Problem, closest
from hnmets.workflows.study_sections import EvaluationSection


class Declared(Protocol):
    """The sections that have to fit each other."""

    @property
    def cohort(self) -> CohortRule: ...  # noqa: D102  # said by the class
    @property
    def drawn(self) -> Mapping[str, DrawnRegion]: ...  # noqa: D102
    @property
    def rings(self) -> Mapping[str, RingRegion]: ...  # noqa: D102
    @property
    def clinical(self) -> Mapping[str, ClinicalRule]: ...  # noqa: D102
    @property
    def outcome(self) -> OutcomeRule | None: ...  # noqa: D102
    @property
    def regions(self) -> Mapping[str, RegionRule]: ...  # noqa: D102
    @property
    def measured(self) -> Mapping[str, tuple[str, ...]]: ...  # noqa: D102
    @property
    def evaluation(self) -> EvaluationSection: ...  # noqa: D102


def contradictions(study: Declared) -> list[Problem]:
    """Return every setting that does not fit another one, or foresees the outcome."""
    return [
        *_regions(study),
        *_measured(study),
        *_tables(study),
        *_foresight(study),
        *_groups(study),
    ]


def _regions(study: Declared) -> Iterator[Problem]:
    if study.drawn and study.cohort.image is None:
        yield ("regions",), "a cohort without [cohort] image has no regions"
    for name, ring in study.rings.items():
        if name in study.drawn:
            yield ("rings", name), "is a region too; choose another name"
        if ring.around not in study.drawn:
            hint = closest(ring.around, study.drawn)
            yield ("rings", name, "around"), f"no region '{ring.around}'; {hint}"


def _measured(study: Declared) -> Iterator[Problem]:
    for section, names in study.measured.items():
        for name in names:
            if name not in study.regions:
                hint = closest(name, study.regions)
                yield (section, "regions"), f"no region or ring '{name}'; {hint}"


def _tables(study: Declared) -> Iterator[Problem]:
    if study.cohort.manifest is not None:
        return
    needs = "needs a table: set [cohort] manifest"
    yield from (((("clinical", name), needs)) for name in study.clinical)
    if study.outcome:
        yield ("outcome",), needs
    for name, region in study.drawn.items():
        if placeholders(region.mask) != ("case",):
            yield (
                ("regions", name, "mask"),
                "without [cohort] manifest only {case} can be filled in",
            )


def _foresight(study: Declared) -> Iterator[Problem]:
    outcome = study.outcome.columns.values() if study.outcome else ()
    for name, rule in study.clinical.items():
        if rule.known_at != "baseline":
            continue
        place = ("clinical", name)
        if rule.column in outcome:
            yield place, f"'{rule.column}' is a column of the outcome and can never be a predictor"
            continue
        word = future_word(name) or future_word(rule.column)
        if word and not rule.override_reason.strip():
            yield (
                place,
                f"'{rule.column}' smells of the future ('{word}'): leave out known_at, or say in "
                "override_reason why it is known before treatment",
            )


def _groups(study: Declared) -> Iterator[Problem]:
    centre = {CENTRE} if study.cohort.centre else set()
    for name in study.evaluation.subgroups or ():
        place = ("evaluation", "subgroups")
        if name in centre:
            continue
        if name not in study.clinical:
            yield (
                place,
                f"no clinical variable '{name}'; {closest(name, [*study.clinical, *centre])}",
            )
        elif why := why_no_groups(name, study.clinical[name]):
            yield place, f"'{name}' {why}"
    for name in study.evaluation.acquisition or ():
        place = ("evaluation", "acquisition")
        if name not in study.clinical:
            yield place, f"no clinical variable '{name}'; {closest(name, study.clinical)}"
        elif study.clinical[name].type == "date":
            yield place, f"'{name}' is a date; declare the year as a number"
