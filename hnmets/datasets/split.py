"""All folds of a cohort under one rule, and the hash by which runs name them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property

from hnmets.datasets.fold import Fold, why_unscorable, why_untrainable
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject

FORMAT = 1
HELD_OUT = -1


@dataclass(frozen=True, kw_only=True)
class Split:
    """Folds that every model and every ablation shares.

    Parameters
    ----------
    subjects
        Everybody, sorted by case; of centre and date only what the split went by.
    left_out
        Cases that stand in no fold, with the reason.
    """

    parameters: SplitParameters
    subjects: tuple[Subject, ...]
    folds: tuple[Fold, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def canonical(self) -> str:
        """The split as JSON with sorted keys: equal splits give equal text.

        A fold is one role per subject: -1 held out, 0, 1, … inner part of the training part,
        null in no part. So no case can have two roles.
        """
        content = {
            "format": FORMAT,
            "parameters": asdict(self.parameters),
            "subjects": [asdict(subject) for subject in self.subjects],
            "left_out": dict(self.left_out),
            "folds": [
                {"name": fold.name, "repeat": fold.repeat, "roles": self._roles(fold)}
                for fold in self.folds
            ],
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical text, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def why_untrainable(self, fold: Fold) -> str:
        """Return why nothing can be learned in a fold; empty where it can."""
        return why_untrainable(map(self._patient_and_event, fold.training))

    def why_not_estimable(self, fold: Fold) -> str:
        """Return why a fold gives no number; empty where it gives one."""
        held_out = map(self._patient_and_event, fold.held_out)
        return self.why_untrainable(fold) or why_unscorable(held_out)

    @cached_property
    def _by_case(self) -> dict[str, Subject]:
        return {subject.case_id: subject for subject in self.subjects}

    def _patient_and_event(self, case_id: str) -> tuple[str, bool]:
        subject = self._by_case[case_id]
        return subject.patient_id, subject.event

    def _roles(self, fold: Fold) -> list[int | None]:
        role = dict.fromkeys(fold.held_out, HELD_OUT)
        for part, cases in enumerate(fold.inner):
            role |= dict.fromkeys(cases, part)
        return [role.get(subject.case_id) for subject in self.subjects]
