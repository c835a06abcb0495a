"""What a registered model answers, whoever asks: the command, MLflow or the service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows
from hnmets.extractors.trained_embedding import KIND
from hnmets.models.recalibration import log_odds_of
from hnmets.registry.inputs import Inputs, InputTable, inputs_of
from hnmets.registry.networks import seen_by
from hnmets.registry.package import OpenPackage, Package, open_package
from hnmets.registry.prediction import (
    Answer,
    Contribution,
    Flag,
    FlagCode,
    Prediction,
    Refused,
)

_MOST_NAMED = 3
_DEEP = ("embedding", KIND)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is wanted beside the risk.

    Parameters
    ----------
    contributions
        How many of the strongest; none by default, since each input costs as much as a patient.
    members
        The risk by each member.
    """

    contributions: int = 0
    members: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """An open package that answers.

    Parameters
    ----------
    key
        Of the training ids; without it nobody can tell whether a patient was in training.
    """

    opened: OpenPackage
    key: bytes | None = None

    @classmethod
    def load(
        cls, folder: Path, *, digest: str | None = None, key: bytes | None = None
    ) -> "Predictor":
        """Open a package; see `open_package`."""
        return cls(opened=open_package(folder, digest=digest), key=key)

    @property
    def package(self) -> Package:
        """What the model is."""
        return self.opened.package

    def predict(self, table: InputTable, asked: Asked | None = None) -> tuple[Answer, ...]:
        """Answer for every row, in the order of the rows.

        A case that lacks a whole feature set is refused by a model of the policy
        `complete-case`, and flagged by one of `modality-missing`.

        Raises
        ------
        AbsentColumnsError, InputError
            See `inputs_of`.
        """
        wanted = asked or Asked()
        inputs = self.inputs(table)
        refused = dict(self._refused(inputs))
        usable = [row for row in range(len(table.case_ids)) if row not in refused]
        kept = Inputs(rows=inputs.rows.among(usable), absent=inputs.absent[usable])
        answers: dict[int, Answer] = dict(refused)
        answers |= dict(zip(usable, self._predictions(kept, wanted), strict=True))
        return tuple(answers[row] for row in range(len(table.case_ids)))

    def inputs(self, table: InputTable) -> Inputs:
        """Read a table; see `inputs_of`."""
        return inputs_of(table, self.package.columns, self.package.encoded)

    def risks(self, rows: Rows) -> NDArray[np.float64]:
        """Return the risk by every member, float64, shape (members, cases)."""
        return np.array([self.risk_by(place, rows) for place in range(len(self.package.members))])

    def risk_by(self, place: int, rows: Rows) -> NDArray[np.float64]:
        """Return the risk by the member at a place, float64, shape (cases,)."""
        own = self.package.members[place].networks
        return self.opened.models[place].risk(seen_by(rows, own, self._networks))

    @cached_property
    def _networks(self) -> frozenset[str]:
        return self.package.networks

    def _predictions(self, inputs: Inputs, asked: Asked) -> list[Prediction]:
        if not inputs.rows.case_ids:
            return []
        risks, flags = self.risks(inputs.rows), self._flags(inputs)
        return [
            self._prediction(
                inputs.rows.among([row]), risks[:, row], flags=flags[row], asked=asked
            )
            for row in range(len(inputs.rows.case_ids))
        ]

    def _prediction(
        self, case: Rows, risks: NDArray[np.float64], *, flags: tuple[Flag, ...], asked: Asked
    ) -> Prediction:
        risk, threshold = float(risks.mean()), self.package.threshold
        names = [member.name for member in self.package.members]
        return Prediction(
            case_id=case.case_ids[0],
            risk=risk,
            spread=float(risks.std()),
            lowest=float(risks.min()),
            highest=float(risks.max()),
            threshold=threshold,
            positive=risk >= threshold,
            flags=flags,
            contributions=self._contributions(case)[: asked.contributions]
            if asked.contributions
            else (),
            members=dict(zip(names, risks.tolist(), strict=True)) if asked.members else {},
        )

    def _contributions(self, case: Rows) -> tuple[Contribution, ...]:
        """Put one input after the other at its training mean; the strongest first."""
        groups = self._groups
        means = self.package.reference.means
        values = np.repeat(case.values, len(groups) + 1, axis=0)
        for row, (_, places) in enumerate(groups, start=1):
            values[row, places] = means[places]
        patients = case.among(np.zeros(len(values), dtype=np.intp))
        rows = patients.with_columns(case.columns, modalities=case.modalities, values=values)
        full, *without = log_odds_of(self.risks(rows).mean(axis=0)).tolist()
        found = [
            Contribution(name=name, log_odds=full - each)
            for (name, _), each in zip(groups, without, strict=True)
        ]
        return tuple(sorted(found, key=lambda each: -abs(each.log_odds)))

    @cached_property
    def _groups(self) -> list[tuple[str, list[int]]]:
        """Inputs and their columns; an embedding is one input, its numbers mean nothing alone."""
        place_of = {name: place for place, name in enumerate(self.package.encoded)}
        named = [
            (
                # What the networks of all members see is one input as well.
                each.feature_set.partition("@")[0] if each.family in _DEEP else each.name,
                [place_of[name] for name in each.encoded if name in place_of],
            )
            for each in self.package.columns
        ]
        return [
            (name, [place for _, places in group for place in places])
            for name, group in groupby(named, key=lambda pair: pair[0])
        ]

    @cached_property
    def _places_of_set(self) -> dict[str, list[int]]:
        """Places of each feature set among the input columns."""
        places: dict[str, list[int]] = {}
        for place, column in enumerate(self.package.columns):
            places.setdefault(column.feature_set, []).append(place)
        return places

    def _lacking(self, absent: NDArray[np.bool_]) -> list[str]:
        """Return the feature sets of which one row has nothing."""
        return [name for name, places in self._places_of_set.items() if absent[places].all()]

    def _refused(self, inputs: Inputs) -> Iterator[tuple[int, Refused]]:
        for row, case_id in enumerate(inputs.rows.case_ids):
            lacking = self._lacking(inputs.absent[row])
            if len(lacking) == len(self._places_of_set):
                yield row, Refused(case_id=case_id, reason="nothing of the patient is known")
            elif lacking and self.package.policy == "complete-case":
                reason = f"without {', '.join(lacking)}: the model was measured on complete cases"
                yield row, Refused(case_id=case_id, reason=reason)

    def _flags(self, inputs: Inputs) -> list[tuple[Flag, ...]]:
        reference = self.package.reference
        far, unusual = reference.far(inputs.rows), reference.unusual(inputs.rows)
        return [
            (
                *self._of_absence(inputs.absent[row]),
                *_of_distance(far[row], unusual=bool(unusual[row])),
                *self._of_training(case_id),
                *self._of_kind(),
            )
            for row, case_id in enumerate(inputs.rows.case_ids)
        ]

    def _of_absence(self, absent: NDArray[np.bool_]) -> Iterator[Flag]:
        lacking = self._lacking(absent)
        for name in lacking:
            text = f"nothing of {name} is known: lower confidence, training medians in its place"
            yield Flag(code=FlagCode.MODALITY_ABSENT, text=text)
        for name, places in self._places_of_set.items():
            count = int(absent[places].sum())
            if count and name not in lacking:
                text = f"{count} of {len(places)} values of {name} are not known"
                yield Flag(code=FlagCode.IMPUTED, text=text)

    def _of_training(self, case_id: str) -> Iterator[Flag]:
        held = self.package.training.holds(case_id, self.key)
        if held is None:
            text = "without the study's key nobody can tell whether the patient was in training"
            yield Flag(code=FlagCode.TRAINED_ON_UNKNOWN, text=text)
        elif held:
            text = "the model has learned from this patient: the risk says what it remembers"
            yield Flag(code=FlagCode.TRAINED_ON, text=text)

    def _of_kind(self) -> Iterator[Flag]:
        if self.package.kind == "refit":
            text = "a refit on all patients: nobody has measured it"
            yield Flag(code=FlagCode.UNMEASURED, text=text)


def _of_distance(far: Sequence[str], *, unusual: bool) -> Iterator[Flag]:
    if far:
        more = f" and {len(far) - _MOST_NAMED} more" if len(far) > _MOST_NAMED else ""
        yield Flag(code=FlagCode.FAR, text=f"{', '.join(far[:_MOST_NAMED])}{more}")
    if unusual:
        text = "more values at the edge of the training patients' than nearly all of these had"
        yield Flag(code=FlagCode.UNUSUAL, text=text)
