"""The rows of one fold, with the guards that keep held-out patients out of everything learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from feature_store.recipe import Recipe
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.errors import FoldMismatchError, listed
from hnmets.datasets.fold import Fold, why_unscorable, why_untrainable
from hnmets.datasets.fold_models import FoldModels
from hnmets.datasets.provenance import fold_of, require_unseen
from hnmets.datasets.rows import ChoosingRows, HeldOutRows, Rows, TrainRows
from hnmets.datasets.split import Split

Kind = TypeVar("Kind", TrainRows, ChoosingRows, HeldOutRows)


@dataclass(frozen=True, kw_only=True)
class FoldRows:
    """A fold of a dataset; rows are cut when they are asked for.

    Raises
    ------
    FoldMismatchError
        If a patient stands on both sides.
    """

    dataset: Dataset
    fold: Fold

    def __post_init__(self) -> None:
        """Check that nobody is learned from and scored."""
        self._refuse_shared(self.fold.training, self.fold.held_out)
        for part in range(len(self.fold.inner)):
            self._refuse_shared(self.fold.fitting(part), self.fold.choosing(part))

    @property
    def training(self) -> TrainRows:
        """Everything that may be learned from."""
        return self._rows(self.fold.training, TrainRows)

    @property
    def held_out(self) -> HeldOutRows:
        """What is scored.

        Raises
        ------
        SeenInTrainingError
            If a network behind an embedding was trained on one of the patients.
        """
        return self._unseen(self.fold.held_out, HeldOutRows)

    def fitting(self, part: int = 0) -> TrainRows:
        """Return the training rows without one inner part."""
        return self._rows(self.fold.fitting(part), TrainRows)

    def choosing(self, part: int = 0) -> ChoosingRows:
        """Return one inner part: to stop, threshold, calibrate or choose by.

        Raises
        ------
        SeenInTrainingError
            If a network behind an embedding was trained on one of the patients.
        """
        return self._unseen(self.fold.choosing(part), ChoosingRows)

    @cached_property
    def why_untrainable(self) -> str:
        """Why nothing can be learned in this fold; empty where it can."""
        return why_untrainable(self._patients_and_events(self.fold.training))

    @cached_property
    def why_not_estimable(self) -> str:
        """Why the fold gives no number; empty where it gives one."""
        held_out = self._patients_and_events(self.fold.held_out)
        return self.why_untrainable or why_unscorable(held_out)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {case_id: row for row, case_id in enumerate(self.dataset.rows.case_ids)}

    def _places(self, cases: Sequence[str]) -> list[int]:
        """Return the rows of the cases that the view has."""
        return [self._place[case_id] for case_id in cases if case_id in self._place]

    @cached_property
    def _shown(self) -> Rows:
        """The rows as the networks of this fold see them."""
        networks = self._networks
        return self.dataset.rows if networks is None else networks.shown(self.dataset.rows)

    @property
    def _networks(self) -> FoldModels | None:
        return self.dataset.fold_models.get(self.fold.name)

    def _rows(self, cases: Sequence[str], kind: type[Kind]) -> Kind:
        return kind(**vars(self._shown.among(self._places(cases))))

    def _unseen(self, cases: Sequence[str], kind: type[Kind]) -> Kind:
        rows = self._rows(cases, kind)
        networks = self._networks
        trained: tuple[Recipe, ...] = networks.recipes if networks else ()
        require_unseen((*self.dataset.recipes, *trained), rows)
        return rows

    def _patients_and_events(self, cases: Sequence[str]) -> list[tuple[str, bool]]:
        rows: Rows = self.dataset.rows
        return [(rows.patient_ids[row], bool(rows.outcome[row])) for row in self._places(cases)]

    def _refuse_shared(self, learned: Sequence[str], scored: Sequence[str]) -> None:
        rows = self.dataset.rows
        patients = {rows.patient_ids[row] for row in self._places(learned)}
        both = [
            rows.case_ids[row] for row in self._places(scored) if rows.patient_ids[row] in patients
        ]
        if both:
            raise FoldMismatchError(
                f"{self.fold.name}: patients to score are learned from too: cases {listed(both)}"
            )


def folds_of(dataset: Dataset, split: Split) -> tuple[FoldRows, ...]:
    """Return the dataset's rows in every fold of a split; with networks, in those of theirs.

    A case that the view lacks is in `dataset.left_out`; a case that the split lacks is in
    `split.left_out`. There is no third way to be lost.

    Raises
    ------
    FoldMismatchError
        If a case is in neither, a patient or an outcome differs, a patient stands on both
        sides of a fold, or a network stands for a fold that it was not trained in.
    """
    subjects = {subject.case_id: subject for subject in split.subjects}
    rows = dataset.rows
    accounted = {*rows.case_ids, *dataset.left_out}
    lost = [case for case in subjects if case not in accounted]
    foreign = [case for case in rows.case_ids if case not in subjects]
    if lost or foreign:
        raise FoldMismatchError(
            f"{split.parameters.label} and view '{dataset.view.name}' are of different cohorts: "
            f"{listed([*lost, *foreign])}"
        )
    told = zip(rows.case_ids, rows.patient_ids, rows.outcome.tolist(), strict=True)
    differing = [
        case
        for case, patient, event in told
        if (subjects[case].patient_id, subjects[case].event) != (patient, event)
    ]
    if differing:
        raise FoldMismatchError(
            f"{split.parameters.label} knows other patients or outcomes of {listed(differing)}"
        )
    _refuse_foreign_networks(dataset, split)
    return tuple(
        FoldRows(dataset=dataset, fold=fold)
        for fold in split.folds
        if not dataset.fold_models or fold.name in dataset.fold_models
    )


def _refuse_foreign_networks(dataset: Dataset, split: Split) -> None:
    for fold, models in dataset.fold_models.items():
        for recipe in models.recipes:
            if fold_of(recipe, split.hash) != fold:
                raise FoldMismatchError(
                    f"{recipe.label} stands for {fold} of {split.parameters.label}, and its "
                    "network was not trained in it"
                ).with_note("Train the backbone on this split: `hnmets train backbone`.")
