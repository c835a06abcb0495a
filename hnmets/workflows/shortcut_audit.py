"""Shortcuts: what acquisition tells of the outcome, and features of the centre."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject
from hnmets.evaluation.comparison import paired_bootstrap
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.evaluation.estimate import NotEstimable
from hnmets.models.errors import UntrainableError
from hnmets.models.names import ModelName
from hnmets.reporting.audit import Control
from hnmets.workflows.acquisition import MODALITY, circumstances, sources_of
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.grouping import CENTRE
from hnmets.workflows.ladder import Rung
from hnmets.workflows.procedure import Procedure
from hnmets.workflows.study import Study

MODEL: ModelName = "elastic-net"
# Of a centre, and of the others: five folds then hold four of each.
FEWEST_PATIENTS = 20
MOST_CENTRES = 4
_FAMILIES = ("radiomics", "embedding")


@dataclass(frozen=True, kw_only=True)
class ShortcutAudit:
    """What a ladder is asked about shortcuts.

    Parameters
    ----------
    headline
        The model that the study is about.
    """

    study: Study
    cohort: Cohort
    dataset: Dataset
    procedure: Procedure
    headline: OutOfFold

    def controls(self) -> tuple[Control, ...]:
        """Return what centre and acquisition tell, then whether features tell the centre."""
        return (self._outcome_from_circumstances(), *self._centre_from_features())

    def _outcome_from_circumstances(self) -> Control:
        """Predict the outcome from centre and acquisition, in the folds of the ladder."""
        # Where whole centres are held out, nothing can be learned about the one to come.
        with_centre = self.procedure.split.parameters.kind != "centre"
        rows = circumstances(self.study, self.cohort, self.dataset, with_centre=with_centre)
        told = sources_of(rows)
        if not told:
            asked = "centre and acquisition" if with_centre else "acquisition"
            return self._not_estimable(
                asked,
                f"the outcome, from {asked} alone",
                "nothing is known of it that differs between patients",
            )
        name, what = _name(told), f"the outcome, from {', '.join(told)} alone"
        rung = Rung(name=name, recipes=(MODALITY,), model=MODEL)
        dataset = replace(self.dataset, rows=rows, recipes=(), absent=())
        try:
            (found,) = self.procedure.scored(dataset, [rung]).rungs
        except UntrainableError as error:
            return self._not_estimable(name, what, str(error))
        bootstrap = self.procedure.bootstrap
        return Control(
            kind="shortcut",
            name=name,
            what=what,
            auc=pooled_auc(found.predictions, bootstrap),
            lead=paired_bootstrap(self.headline.predictions, found.predictions, bootstrap),
            rung=self.headline.rung.name,
        )

    def _centre_from_features(self) -> Iterator[Control]:
        """Tell each large centre from the others by the features that the model sees."""
        families = _families(self.dataset, self.headline.rung)
        if not families:
            return
        patients = _centre_of_patients(self.dataset)
        centres = _large(patients)
        if not centres:
            for family in families:
                yield self._not_estimable(
                    f"centre from {family}", "the centre of a patient", _why_none(patients)
                )
        for centre in centres:
            yield from self._one_centre(centre, patients, families)

    def _one_centre(
        self, centre: str, patients: Mapping[str, str], families: Mapping[str, tuple[str, ...]]
    ) -> Iterator[Control]:
        dataset = _asked_for(centre, patients, self.dataset)
        rungs = [
            Rung(name=f"{centre} from {family}", recipes=names, model=MODEL)
            for family, names in families.items()
        ]
        parameters = SplitParameters(repeats=1, seed=self.procedure.split.parameters.seed)
        procedure = replace(self.procedure, split=draw(_subjects(dataset), parameters))
        for found in procedure.scored(dataset, rungs).rungs:
            yield Control(
                kind="shortcut",
                name=found.rung.name,
                what=f"whether the centre is {centre}, from {', '.join(found.rung.recipes)} alone",
                auc=pooled_auc(found.predictions, self.procedure.bootstrap),
            )

    def _not_estimable(self, name: str, what: str, reason: str) -> Control:
        of = self.headline.predictions
        none = NotEstimable(reason=reason, n=of.n, events=of.events)
        return Control(kind="shortcut", name=name, what=what, auc=none)


def _name(told: Sequence[str]) -> str:
    parts = [CENTRE] * (CENTRE in told) + ["acquisition"] * (set(told) != {CENTRE})
    return " and ".join(parts)


def _families(dataset: Dataset, rung: Rung) -> dict[str, tuple[str, ...]]:
    """Return the image features that a rung sees, by family."""
    kinds = dataset.kinds
    found = {
        family: tuple(name for name in rung.recipes if kinds[name] == family)
        for family in _FAMILIES
    }
    return {family: names for family, names in found.items() if names}


def _centre_of_patients(dataset: Dataset) -> dict[str, str]:
    """Return the centre of each patient who has one, and no other."""
    known: dict[str, set[str]] = {}
    for patient, centre in zip(dataset.rows.patient_ids, dataset.centres, strict=True):
        if centre is not None:
            known.setdefault(patient, set()).add(centre)
    return {patient: next(iter(at)) for patient, at in known.items() if len(at) == 1}


def _large(patients: Mapping[str, str]) -> list[str]:
    """Return the largest centres, the largest first; of two centres one tells of both."""
    counts = Counter(patients.values())
    enough = [
        centre
        for centre, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        if min(count, counts.total() - count) >= FEWEST_PATIENTS
    ]
    return enough[: 1 if len(counts) == 2 else MOST_CENTRES]


def _why_none(patients: Mapping[str, str]) -> str:
    """Return why no centre is large enough to be told from the others."""
    if len(set(patients.values())) < 2:
        return "one centre only" if patients else "the centre was not recorded"
    return f"needs a centre of {FEWEST_PATIENTS} patients and as many elsewhere"


def _asked_for(centre: str, patients: Mapping[str, str], dataset: Dataset) -> Dataset:
    """Return the dataset of the patients with a centre, whose outcome is to be of this one."""
    pairs = zip(dataset.rows.case_ids, dataset.rows.patient_ids, strict=True)
    cases = {case for case, patient in pairs if patient in patients}
    kept = dataset.among(cases, reason="no centre, or several")
    at_centre = np.array([patients[patient] == centre for patient in kept.rows.patient_ids])
    return replace(
        kept,
        rows=replace(kept.rows, outcome=at_centre),
        # What a network was trained on matters where the outcome is predicted, not here.
        recipes=(),
        fold_models={},
    )


def _subjects(dataset: Dataset) -> list[Subject]:
    rows = dataset.rows
    told = zip(rows.case_ids, rows.patient_ids, rows.outcome.tolist(), strict=True)
    return [
        Subject(case_id=case, patient_id=patient, event=event) for case, patient, event in told
    ]
