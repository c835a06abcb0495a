"""An ablation as runs: one for the ladder, one for each rung, one for each fold of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.evaluation.fold_mean import FoldAuc, fold_aucs
from hnmets.tracking import base
from hnmets.tracking.base import Artifact, Metric, NewRun, Status, Tracker
from hnmets.tracking.naming import Kind, Label, metrics_of, reasons_of
from hnmets.tracking.params import flattened
from hnmets.workflows.rung_scores import RungScores

_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """What an ablation found, and from what.

    Parameters
    ----------
    settings
        Of the study, by dotted name.
    documents
        JSON of what else was asked, by file name.
    """

    study: str
    settings: Mapping[str, object]
    dataset: Dataset
    split: Split
    scores: tuple[RungScores, ...]
    documents: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def seen(self) -> base.Dataset:
        """What the runs were computed from."""
        rows = self.dataset.rows
        return base.Dataset(
            name=self.dataset.view.name,
            digest=self.dataset.digest[:_DIGITS],
            description={
                "split": self.split.hash[:_DIGITS],
                "cases": len(rows.case_ids),
                "events": int(rows.outcome.sum()),
                "recipes": ", ".join(recipe.label for recipe in self.dataset.recipes),
            },
        )


def log_ladder(tracker: Tracker, ladder: Ladder, *, at: datetime) -> str:
    """Log a ladder with its rungs and folds; return the key of its run.

    Parameters
    ----------
    at
        When it was made; with a time zone.
    """
    log = _Log(tracker=tracker, ladder=ladder, at=at)
    parent = tracker.start(
        NewRun(
            experiment=ladder.study,
            name=f"{ladder.dataset.view.name} {ladder.split.parameters.label}",
            at=at,
            tags={"kind": Kind.EVALUATION.value, "split_hash": ladder.split.hash[:_DIGITS]},
            params=flattened(ladder.settings, counted=("cohort.exclude",)),
            dataset=ladder.seen,
        )
    )
    for place, scores in enumerate(ladder.scores, 1):
        log.rung(scores, place=place, parent=parent)
    for name, document in ladder.documents.items():
        tracker.log_artifact(parent, Artifact.json(name, document))
    tracker.end(parent, Status.FINISHED, at=at)
    return parent


@dataclass(frozen=True, kw_only=True)
class _Log:
    """Writes the runs below that of the ladder."""

    tracker: Tracker
    ladder: Ladder
    at: datetime

    def rung(self, scores: RungScores, *, place: int, parent: str) -> None:
        """Log a rung, and below it its folds."""
        found = scores.out_of_fold
        label = Label(view=found.rung.name, model=found.rung.model, rung=place)
        key = self.tracker.start(
            NewRun(
                experiment=self.ladder.study,
                name=label.name,
                at=self.at,
                parent=parent,
                tags={**label.tags, **reasons_of(scores.measures)},
                params={**label.params, "features": ", ".join(found.rung.features)},
                dataset=self.ladder.seen,
            )
        )
        self.tracker.log_metrics(key, metrics_of(scores.measures), at=self.at)
        frequency = {name: count / found.n_fits for name, count in found.selected.items()}
        self.tracker.log_artifact(key, Artifact.json("selection_frequency.json", frequency))
        for fold in fold_aucs(found.predictions, found.folds):
            self.fold(fold, label, parent=key)
        self.tracker.end(key, Status.FINISHED, at=self.at)

    def fold(self, fold: FoldAuc, rung: Label, *, parent: str) -> None:
        """Log one fold; its AUC has a name of its own, or folds would crowd the list."""
        label = Label(view=rung.view, model=rung.model, repeat=fold.repeat + 1, fold=fold.fold + 1)
        key = self.tracker.start(
            NewRun(
                experiment=self.ladder.study,
                name=label.name,
                at=self.at,
                parent=parent,
                tags=label.tags,
                params=label.params,
            )
        )
        numbers = {"fold_cases": fold.n, "fold_events": fold.events, "fold_auc": fold.auc}
        metrics = [Metric(name=n, value=float(v)) for n, v in numbers.items() if v is not None]
        self.tracker.log_metrics(key, metrics, at=self.at)
        self.tracker.end(key, Status.FINISHED, at=self.at)
