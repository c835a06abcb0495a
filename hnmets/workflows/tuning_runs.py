"""A search as runs: one for all, one for each study below it, one for each trial below that."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from feature_store.atomic import append_synced
from hnmets.evaluation.estimate import Measured
from hnmets.reporting.search_figures import search_figures
from hnmets.tracking.base import Artifact, Dataset, Metric, NewRun, Status, Tracker
from hnmets.tracking.environment import Environment
from hnmets.tracking.naming import Kind, metrics_of, reasons_of
from hnmets.tracking.params import flattened
from hnmets.tuning.curves import read_curves
from hnmets.tuning.plan import EVERYBODY, Plan
from hnmets.tuning.records import Record, Records

_LOGGED = "logged.txt"
_STATUS = {"complete": Status.FINISHED, "pruned": Status.FINISHED, "fail": Status.FAILED}


@dataclass(kw_only=True)
class SearchRuns:
    """Writes what happens in a search; what was written before a kill is not written again.

    Parameters
    ----------
    experiment
        Name of the study.
    folder
        Of the search.
    settings
        Of the study, by dotted name.
    dataset
        What the search is computed from.
    """

    tracker: Tracker
    experiment: str
    plan: Plan
    folder: Path
    settings: Mapping[str, object]
    dataset: Dataset
    environment: Environment

    def __post_init__(self) -> None:
        file = self.folder / _LOGGED
        lines = file.read_text().splitlines() if file.exists() else []
        self._logged = set(lines)

    @property
    def key(self) -> str:
        """Key of the run of the whole search."""
        return f"search-{self.plan.name}"

    def begin(self) -> None:
        """Start the run of the search, and those of its studies."""
        now = datetime.now(UTC)
        self.tracker.start(
            NewRun(
                experiment=self.experiment,
                name=self.plan.name,
                key=self.key,
                at=now,
                tags={"kind": Kind.SEARCH.value, **self.environment.tags},
                params=flattened(self.settings, counted=("cohort.exclude",)),
                dataset=self.dataset,
            )
        )
        for study in self.plan.studies:
            self.tracker.start(
                NewRun(
                    experiment=self.experiment,
                    name=f"{study} of {self.plan.name}",
                    key=self._of_study(study),
                    at=now,
                    parent=self.key,
                    tags={"kind": Kind.STUDY.value, "study": study},
                )
            )

    def trials(self, study: str, records: Sequence[Record]) -> None:
        """Log the trials that have ended since the last call."""
        for record in records:
            name = f"{study}\t{record.number}"
            if record.finished and name not in self._logged:
                self._trial(study, record)
                append_synced(self.folder / _LOGGED, f"{name}\n".encode())
                self._logged.add(name)

    def study_ended(self, study: str, records: Records) -> None:
        """Log what a study found, with its figures."""
        key, now = self._of_study(study), datetime.now(UTC)
        best, importance = records.best(study), records.importance(study)
        if best is not None and best.value is not None:
            metrics = [Metric(name="inner_auc", value=best.value)]
            self.tracker.log_metrics(key, metrics, at=now)
        self.tracker.log_artifact(key, Artifact.json("importance.json", importance))
        for name, content in search_figures(records.of(study), importance).items():
            artifact = Artifact(name=f"figures/{name}.svg", content=content)
            self.tracker.log_artifact(key, artifact)
            if study == EVERYBODY:
                self.tracker.log_artifact(self.key, artifact)
        self.tracker.end(key, Status.FINISHED, at=now)

    def end(
        self, measures: Mapping[str, Measured], numbers: Mapping[str, float], best: Path
    ) -> None:
        """Log what the whole search is worth.

        Parameters
        ----------
        measures, numbers
            With and without an interval.
        best
            The study file that the search has written.
        """
        now = datetime.now(UTC)
        plain = [Metric(name=name, value=value) for name, value in numbers.items()]
        self.tracker.log_metrics(self.key, [*metrics_of(measures), *plain], at=now)
        for name, text in reasons_of(measures).items():
            self.tracker.log_artifact(self.key, Artifact.text(f"{name}.txt", text))
        self.tracker.log_artifact(self.key, Artifact(name=best.name, content=best.read_bytes()))
        self.tracker.log_artifact(
            self.key, Artifact(name="curves.parquet", content=self._curves())
        )
        self.tracker.end(self.key, Status.FINISHED, at=now)

    def _trial(self, study: str, record: Record) -> None:
        began = record.began or datetime.now(UTC)
        ended = record.ended or began
        key = self.tracker.start(
            NewRun(
                experiment=self.experiment,
                name=f"trial {record.number:04d} of {study}",
                key=f"{self._of_study(study)}-{record.number}",
                at=began,
                parent=self._of_study(study),
                tags={
                    "kind": Kind.TRIAL.value,
                    "study": study,
                    "state": record.state,
                    **({"failure": record.reason} if record.reason else {}),
                },
                params={name: str(value) for name, value in record.params.items()},
            )
        )
        # Of its own name: the inner AUC of a trial is no performance, and not to be listed as one.
        found = {} if record.value is None else {"inner_auc": record.value}
        found |= {f"inner_fold_{fold}_auc": auc for fold, auc in enumerate(record.aucs, 1)}
        metrics = [Metric(name=name, value=value) for name, value in found.items()]
        self.tracker.log_metrics(key, metrics, at=ended)
        self.tracker.end(key, _STATUS[record.state], at=ended)

    def _of_study(self, study: str) -> str:
        place = list(self.plan.studies).index(study)
        return f"{self.key}-{place}"

    def _curves(self) -> bytes:
        points = list(read_curves(self.folder, list(self.plan.studies)))
        names = ("study", "trial", "fold", "epoch", "loss")
        columns = list(zip(*points, strict=True)) or [()] * len(names)
        table = pa.table(dict(zip(names, map(list, columns), strict=True)))
        content = io.BytesIO()
        pq.write_table(table, content)
        return content.getvalue()
