"""An ablation as runs: one for the ladder, one for each rung and its folds, one for a control."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.evaluation.estimate import Measured
from hnmets.evaluation.fold_mean import FoldAuc, fold_aucs
from hnmets.reporting.audit import Control
from hnmets.reporting.canvas import NoFigure
from hnmets.reporting.figures import figure_bytes
from hnmets.reporting.findings import Findings
from hnmets.selection.stability import selection_frequency
from hnmets.tracking import base
from hnmets.tracking.base import Artifact, Metric, NewRun, Status, Tracker
from hnmets.tracking.environment import Environment
from hnmets.tracking.naming import Kind, Label, metrics_of, reasons_of
from hnmets.tracking.params import flattened
from hnmets.workflows.rung_scores import RungScores

_DIGITS = 32
_OF_LADDER = ("forest", "frequency")
_OF_RUNG = ("roc", "calibration", "decision")


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """What an ablation found, and from what.

    Parameters
    ----------
    settings
        Of the study, by dotted name.
    controls
        Negative controls, size alone and shortcuts.
    documents
        JSON of what else was asked, by file name.
    findings
        What its figures show; it names cases, so only figures of it leave the machine.
    environment
        Where and with what it was made.
    began, ended
        With a time zone.
    """

    study: str
    settings: Mapping[str, object]
    dataset: Dataset
    split: Split
    scores: tuple[RungScores, ...]
    findings: Findings
    environment: Environment
    began: datetime
    ended: datetime
    controls: tuple[Control, ...] = ()
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
                "recipes": ", ".join(recipe.label for recipe in self.dataset.every_recipe),
            },
        )

    def modalities(self, recipes: Collection[str]) -> dict[str, str]:
        """Return which kinds of features are among recipes: axes of the compare page.

        It shows the first three parameters by name, and of two rungs those that differ.
        """
        kinds = self.dataset.kinds
        seen = {kinds[name] for name in recipes}
        return {
            f"has {kind}": "yes" if kind in seen else "no" for kind in sorted(set(kinds.values()))
        }


def log_ladder(tracker: Tracker, ladder: Ladder) -> str:
    """Log a ladder with its rungs, folds and controls; return the key of its run."""
    log = _Log(tracker=tracker, ladder=ladder)
    parent = tracker.start(
        NewRun(
            experiment=ladder.study,
            name=f"{ladder.dataset.view.name} {ladder.split.parameters.label}",
            at=ladder.began,
            tags={
                "kind": Kind.EVALUATION.value,
                "split_hash": ladder.split.hash[:_DIGITS],
                **ladder.environment.tags,
            },
            params=flattened(ladder.settings, counted=("cohort.exclude",)),
            dataset=ladder.seen,
        )
    )
    environment = Artifact.json("environment.json", ladder.environment.as_json())
    tracker.log_artifact(parent, environment)
    log.figures(parent, _OF_LADDER, ladder.findings)
    for place, scores in enumerate(ladder.scores, 1):
        log.rung(scores, place=place, parent=parent)
    for place, control in enumerate(ladder.controls, len(ladder.scores) + 1):
        log.control(control, place=place, parent=parent)
    for name, document in ladder.documents.items():
        tracker.log_artifact(parent, Artifact.json(name, document))
    tracker.end(parent, Status.FINISHED, at=ladder.ended)
    return parent


@dataclass(frozen=True, kw_only=True)
class _Log:
    """Writes the runs below that of the ladder."""

    tracker: Tracker
    ladder: Ladder

    def figures(self, key: str, names: Sequence[str], findings: Findings) -> None:
        """Keep the figures that can be drawn; why others cannot stands in the report."""
        for name in names:
            content = figure_bytes(findings, name)
            if not isinstance(content, NoFigure):
                artifact = Artifact(name=f"figures/{name}.svg", content=content)
                self.tracker.log_artifact(key, artifact)

    def started(self, place: int) -> datetime:
        """When a run began, for MLflow's lists: the newest stands first, so the first last."""
        return self.ladder.began - timedelta(milliseconds=place)

    def rung(self, scores: RungScores, *, place: int, parent: str) -> None:
        """Log a rung, and below it its folds."""
        found = scores.out_of_fold
        label = Label(view=found.rung.name, model=found.rung.model, rung=place)
        key = self.tracker.start(
            NewRun(
                experiment=self.ladder.study,
                name=label.name,
                at=self.started(place),
                parent=parent,
                tags={**label.tags, **reasons_of(scores.measures)},
                params={
                    **label.params,
                    **self.ladder.modalities(found.rung.recipes),
                    "inputs": ", ".join(found.rung.features),
                },
                dataset=self.ladder.seen,
            )
        )
        self.tracker.log_metrics(key, metrics_of(scores.measures), at=self.ladder.ended)
        frequency = selection_frequency(found.chosen)
        self.tracker.log_artifact(key, Artifact.json("selection_frequency.json", frequency))
        self.figures(key, _OF_RUNG, replace(self.ladder.findings, headline=found.rung.name))
        for number, fold in enumerate(fold_aucs(found.predictions, found.folds), 1):
            self.fold(fold, label, place=number, parent=key)
        self.tracker.end(key, Status.FINISHED, at=self.ladder.ended)

    def control(self, control: Control, *, place: int, parent: str) -> None:
        """Log a control; its AUC has a name of its own, or it would stand among the rungs."""
        measures: dict[str, Measured] = {"control_auc": control.auc}
        if control.lead is not None:
            measures["lead"] = control.lead
        against = f" against {control.rung}" if control.rung else ""
        params = {
            "control": control.name,
            "control kind": control.kind,
            "what": control.what,
            "against": control.rung or "",
        }
        key = self.tracker.start(
            NewRun(
                experiment=self.ladder.study,
                name=f"{control.kind}: {control.name}{against}",
                at=self.started(place),
                parent=parent,
                tags={"kind": Kind.CONTROL.value, **reasons_of(measures)},
                params={name: value for name, value in params.items() if value},
                dataset=self.ladder.seen,
            )
        )
        self.tracker.log_metrics(key, metrics_of(measures), at=self.ladder.ended)
        self.tracker.end(key, Status.FINISHED, at=self.ladder.ended)

    def fold(self, fold: FoldAuc, rung: Label, *, place: int, parent: str) -> None:
        """Log one fold; its AUC has a name of its own, or folds would crowd the list."""
        label = Label(view=rung.view, model=rung.model, repeat=fold.repeat + 1, fold=fold.fold + 1)
        key = self.tracker.start(
            NewRun(
                experiment=self.ladder.study,
                name=label.name,
                at=self.started(place),
                parent=parent,
                tags=label.tags,
                params=label.params,
            )
        )
        numbers = {"fold_cases": fold.n, "fold_events": fold.events, "fold_auc": fold.auc}
        metrics = [Metric(name=n, value=float(v)) for n, v in numbers.items() if v is not None]
        self.tracker.log_metrics(key, metrics, at=self.ladder.ended)
        self.tracker.end(key, Status.FINISHED, at=self.ladder.ended)
