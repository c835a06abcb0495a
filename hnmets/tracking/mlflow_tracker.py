"""Runs in MLflow, by its low-level client: one request for all numbers of a run."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from feature_store.atomic import sweep, write_atomic
from hnmets.tracking import mlflow_settings
from hnmets.tracking.answers import understood
from hnmets.tracking.base import Artifact, Dataset, Metric, NewRun, Status
from hnmets.tracking.errors import UnknownRunError
from hnmets.tracking.pages import VIEW_TAG, experiment_tags
from hnmets.tracking.place import Place
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.project_store import changing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Item = TypeVar("Item")

KEY_TAG = "hnmets.run"
# MLflow would fill these in itself: with the login name and the path of the script.
_OURS = {
    "mlflow.user": "hnmets",
    "mlflow.source.name": "hnmets",
    "mlflow.source.type": "LOCAL",
}
# MLflow's limits for one request, and for one value; it cuts longer ones off with a warning.
_METRICS_AT_ONCE = 1000
_PARAMS_AT_ONCE = 100
_LONGEST_PARAM = 6000
_LONGEST_TAG = 5000


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A run of ours under MLflow's id."""

    run_id: str
    artifact_uri: str


class MlflowTracker:
    """Writes to the database of a project or to a tracking server; asks nothing on creation.

    A run carries its key as a tag and is looked for before it is made; metrics carry their own
    times. So everything may be said again.
    """

    def __init__(self, place: Place, *, privacy: Privacy) -> None:
        mlflow_settings.apply()
        self._place = place
        self._privacy = privacy
        self._runs: dict[str, _Known] = {}
        self._experiments: dict[str, str] = {}

    def start(self, run: NewRun) -> str:
        """Begin a run; see `Tracker.start`."""
        clean = self._privacy.run(run)
        parent = None if run.parent is None else self._known(run.parent).run_id
        with understood():
            experiment_id = self._experiment_id(clean.experiment)
            found = self._find(experiment_id, run.key)
        with understood(beginning_run=True):
            made = found or self._create(experiment_id, clean, parent)
        with understood():
            self._describe(made.info.run_id, clean)
        self._runs[run.key] = _Known(run_id=made.info.run_id, artifact_uri=made.info.artifact_uri)
        return run.key

    def log_metrics(self, key: str, metrics: Sequence[Metric], *, at: datetime) -> None:
        """Write numbers; see `Tracker.log_metrics`."""
        from mlflow.entities import Metric as MlflowMetric

        run_id, time_ms = self._known(key).run_id, _milliseconds(at)
        values = [MlflowMetric(m.name, m.value, time_ms, m.step) for m in metrics]
        with understood():
            for some in _portions(values, _METRICS_AT_ONCE):
                self._client.log_batch(run_id, metrics=some)

    def log_artifact(self, key: str, artifact: Artifact) -> None:
        """Keep a file; see `Tracker.log_artifact`."""
        clean, known = self._privacy.artifact(artifact), self._known(key)
        with understood():
            if self._place.chosen_uri is None:
                # MLflow would take the relative folder from where the process happens to be.
                _write(self._place.project / known.artifact_uri / clean.name, clean.content)
            else:
                self._upload(known.run_id, clean)

    def end(self, key: str, status: Status, *, at: datetime) -> None:
        """Close a run; see `Tracker.end`."""
        known = self._known(key)
        with understood():
            self._client.set_terminated(known.run_id, status.value, end_time=_milliseconds(at))

    def experiment_with_view(self, name: str) -> int | None:
        """Return the experiment of a study; None where there is none that the saved view opens.

        Raises
        ------
        TrackerUnreachableError, TrackerRefusedError
            If MLflow cannot be asked.
        """
        with understood():
            found = self._client.get_experiment_by_name(self._privacy.text(name))
        if found is None or found.lifecycle_stage == "deleted" or VIEW_TAG not in found.tags:
            return None
        return int(found.experiment_id)

    @cached_property
    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        with self._changing():
            return MlflowClient(tracking_uri=self._place.uri)

    def _changing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._place.chosen_uri else changing(self._place)

    def _known(self, key: str) -> _Known:
        if key not in self._runs:
            raise UnknownRunError(key)
        return self._runs[key]

    def _experiment_id(self, name: str) -> str:
        if name not in self._experiments:
            found = self._client.get_experiment_by_name(name)
            if found is None:
                self._experiments[name] = self._new_experiment(name)
            else:
                if found.lifecycle_stage == "deleted":
                    # Its name is taken for good; a new run in it has to be seen.
                    self._client.restore_experiment(found.experiment_id)
                for tag, value in experiment_tags().items() - found.tags.items():
                    self._client.set_experiment_tag(found.experiment_id, tag, value)
                self._experiments[name] = found.experiment_id
        return self._experiments[name]

    def _new_experiment(self, name: str) -> str:
        # Where another process was faster, this fails, and the next try finds it.
        with self._changing():
            return str(self._client.create_experiment(name, tags=experiment_tags()))

    def _find(self, experiment_id: str, key: str) -> "Run | None":
        from mlflow.entities import ViewType

        query = f"tags.`{KEY_TAG}` = '{key}'"
        # Deleted ones too: who deletes a run does not want it back by a replay.
        found = self._client.search_runs([experiment_id], query, ViewType.ALL, max_results=1)
        return found[0] if found else None

    def _create(self, experiment_id: str, run: NewRun, parent: str | None) -> "Run":
        tags = {**run.tags, **_OURS, KEY_TAG: run.key}
        if parent is not None:
            tags["mlflow.parentRunId"] = parent
        return self._client.create_run(
            experiment_id,
            start_time=_milliseconds(run.at),
            tags={name: value[:_LONGEST_TAG] for name, value in tags.items()},
            run_name=run.name,
        )

    def _describe(self, run_id: str, run: NewRun) -> None:
        from mlflow.entities import Param

        params = [Param(name, value[:_LONGEST_PARAM]) for name, value in run.params.items()]
        for some in _portions(params, _PARAMS_AT_ONCE):
            self._client.log_batch(run_id, params=some)
        if run.dataset is not None:
            self._client.log_inputs(run_id, datasets=[_input(run.dataset)])

    def _upload(self, run_id: str, artifact: Artifact) -> None:
        folder, _, name = artifact.name.rpartition("/")
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / name
            file.write_bytes(artifact.content)
            self._client.log_artifact(run_id, str(file), folder or None)


def _input(dataset: Dataset) -> object:
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.entities import DatasetInput, InputTag

    return DatasetInput(
        dataset=MlflowDataset(
            name=dataset.name,
            digest=dataset.digest,
            source_type="hnmets",
            source="feature store",
            profile=json.dumps(dict(dataset.description), sort_keys=True),
        ),
        tags=[InputTag("mlflow.data.context", "evaluation")],
    )


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)  # what a killed process left would be shown as a file of the run
    write_atomic(target, content)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _portions(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
