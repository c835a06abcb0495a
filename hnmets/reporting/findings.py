"""All that a report says, as plain data: a workflow fills it, JSON keeps it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hnmets.datasets.suspicion import Suspicion
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate
from hnmets.reporting.audit import Control, Permutation, Stability
from hnmets.reporting.cohort import CohortFlow, Endpoint, MissingValues
from hnmets.reporting.explained import ExplainedCase
from hnmets.reporting.lineage import Lineage
from hnmets.reporting.missed import MissedCase
from hnmets.reporting.portable import absolute_paths
from hnmets.reporting.protocol import Protocol
from hnmets.reporting.published import Published
from hnmets.reporting.rung import LADDER, AbsentRung, Rung, Stage
from hnmets.reporting.selected import Selection
from hnmets.reporting.subgroup import SubgroupRow
from hnmets.reporting.timed import Timed
from hnmets.reporting.tripod_items import TRIPOD_ITEMS


@dataclass(frozen=True, kw_only=True)
class Findings:
    """One evaluation, complete enough to be read without the data.

    Parameters
    ----------
    study
        Its name.
    created
        ISO date, given by the caller.
    headline
        Name of the rung that the study is about.
    rungs
        In the order of the ladder, ablations after it.
    absent
        Rungs of the ladder that could not be run.
    timed, not_timed
        The rungs by a horizon, or why that could not be measured.
    explained
        Patients whose risk by the headline was explained; asked for one by one.
    statements
        What only people can say, by TRIPOD+AI item: `18a` funding, `17` ethics, …
    limits
        Sentences on what the result cannot carry, beside those that follow from the numbers.

    Raises
    ------
    InvalidDataError
        If the ladder is not complete, rungs are not comparable, names point nowhere, or a text
        holds an absolute path.
    """

    study: str
    created: str
    flow: CohortFlow
    endpoint: Endpoint
    protocol: Protocol
    headline: str
    rungs: tuple[Rung, ...]
    absent: tuple[AbsentRung, ...] = ()
    missing: tuple[MissingValues, ...] = ()
    timed: Timed | None = None
    not_timed: str = ""
    subgroups: tuple[SubgroupRow, ...] = ()
    selections: tuple[Selection, ...] = ()
    controls: tuple[Control, ...] = ()
    stability: Stability | None = None
    permutation: Permutation | None = None
    suspicions: tuple[Suspicion, ...] = ()
    published: Published | None = None
    lineage: Lineage
    missed: tuple[MissedCase, ...] = ()
    explained: tuple[ExplainedCase, ...] = ()
    statements: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for problem in (
            *self._names(),
            *self._ladder(),
            *self._comparability(),
            *self._explanations(),
            *self._statements(),
            *(f"{place} holds an absolute path" for place in absolute_paths(self)),
        ):
            raise InvalidDataError(problem)

    def rung(self, name: str) -> Rung:
        """Return the rung of a name.

        Raises
        ------
        InvalidDataError
            If there is none.
        """
        for rung in self.rungs:
            if rung.name == name:
                return rung
        names = ", ".join(rung.name for rung in self.rungs)
        raise InvalidDataError(f"the report has no rung '{name}'; it has: {names}")

    def is_explained_by(self, explained: ExplainedCase) -> bool:
        """Tell whether an explanation is of the headline, as it was fitted here."""
        return explained.belongs_to(
            rung=self.headline,
            split_hash=self.protocol.split_hash,
            dataset_digest=self.lineage.dataset_digest,
        )

    @property
    def anonymous(self) -> "Findings":
        """What may leave the site: the same numbers, and no case named."""
        suspicions = tuple(suspicion.anonymous for suspicion in self.suspicions)
        return replace(self, missed=(), explained=(), suspicions=suspicions)

    @property
    def main(self) -> Rung:
        """The rung that the study is about."""
        return self.rung(self.headline)

    @property
    def baseline(self) -> Rung | None:
        """Clinical + size, which everything else has to beat; None where it could not run."""
        return next((rung for rung in self.rungs if rung.stage is Stage.CLINICAL_SIZE), None)

    @property
    def highlighted(self) -> tuple[Rung, ...]:
        """Up to four rungs that one figure can show: headline, baseline, radiomics, deep."""
        first = {rung.stage: rung for rung in reversed(self.rungs)}
        chosen = [self.baseline, first.get(Stage.RADIOMICS), first.get(Stage.DEEP)]
        others = [rung for rung in chosen if rung is not None and rung is not self.main]
        return (self.main, *others)

    @property
    def above_oracle(self) -> tuple[Rung, ...]:
        """Rungs that are better than the truth allows by more than their interval: leaks."""
        return tuple(
            rung
            for rung in self.rungs
            if rung.oracle_auc is not None
            and isinstance(rung.auc, Estimate)
            and rung.auc.low > rung.oracle_auc
        )

    @property
    def unbeaten(self) -> dict[str, list[Control]]:
        """By model, the controls of which the data do not show that it is better.

        Shortcuts are not among them: one that predicts is another finding than an image that
        is not needed.
        """
        found: dict[str, list[Control]] = {}
        for control in self.controls:
            if control.kind != "shortcut" and control.is_beaten is False:
                found.setdefault(control.rung or "the model", []).append(control)
        return found

    @property
    def rivals(self) -> tuple[Control, ...]:
        """Shortcuts that the model is not shown to be better than."""
        shortcuts = [c for c in self.controls if c.kind == "shortcut"]
        return tuple(c for c in shortcuts if c.is_beaten is False)

    @property
    def recognised(self) -> tuple[Control, ...]:
        """What features tell although it is not the outcome: where a patient was treated."""
        shortcuts = [c for c in self.controls if c.kind == "shortcut" and c.lead is None]
        return tuple(c for c in shortcuts if c.above_chance)

    def _names(self) -> Iterator[str]:
        names = [rung.name for rung in self.rungs]
        if len(set(names)) < len(names):
            yield "two rungs have one name"
        asked = [self.headline, *(selection.rung for selection in self.selections)]
        asked += [contrast.against for rung in self.rungs for contrast in rung.contrasts]
        asked += [each.rung for each in self.timed.rungs] if self.timed else []
        asked += [figure.rung for figure in self.published.figures] if self.published else []
        asked += [self.permutation.rung] if self.permutation else []
        asked += [each.rung for each in (*self.controls, self.stability) if each and each.rung]
        yield from (f"no rung is called '{name}'" for name in asked if name not in names)

    def _ladder(self) -> Iterator[str]:
        run, absent = {rung.stage for rung in self.rungs}, {rung.stage for rung in self.absent}
        for stage in LADDER:
            if stage not in run | absent:
                yield f"the ladder lacks '{stage}': run it, or say why it could not be run"
            if stage in run & absent:
                yield f"'{stage}' was run and is said to be absent"

    def _comparability(self) -> Iterator[str]:
        for rung in self.rungs:
            if rung.split_hash != self.protocol.split_hash:
                yield f"'{rung.name}' was scored on another split: it cannot be compared"
            if (rung.n, rung.events) != (self.rungs[0].n, self.rungs[0].events):
                yield f"'{rung.name}' was scored on other patients: it cannot be compared"

    def _explanations(self) -> Iterator[str]:
        for each in self.explained:
            if not self.is_explained_by(each):
                yield f"the explanation of {each.case_id} is of another model"

    def _statements(self) -> Iterator[str]:
        known = {item.number for item in TRIPOD_ITEMS}
        yield from (f"TRIPOD+AI has no item '{n}'" for n in self.statements if n not in known)
