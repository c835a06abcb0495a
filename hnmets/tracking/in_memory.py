"""A tracker for tests and dry runs: everything stays in the process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hnmets.tracking.base import Artifact, Metric, NewRun, Status
from hnmets.tracking.errors import UnknownRunError


@dataclass(kw_only=True)
class KeptRun:
    """A run and what was said of it.

    Parameters
    ----------
    metrics
        Each once, in order of arrival.
    status
        None while it runs.
    """

    run: NewRun
    metrics: list[Metric] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    status: Status | None = None

    @property
    def values(self) -> dict[str, float]:
        """Last value of each metric."""
        return {metric.name: metric.value for metric in self.metrics}


class InMemoryTracker:
    """Keeps runs by key, in the order in which they began."""

    def __init__(self) -> None:
        self.runs: dict[str, KeptRun] = {}

    def start(self, run: NewRun) -> str:
        """Begin a run; see `Tracker.start`."""
        if run.parent is not None:
            self._known(run.parent)
        self.runs.setdefault(run.key, KeptRun(run=run))
        return run.key

    def log_metrics(self, key: str, metrics: Sequence[Metric], *, at: datetime) -> None:  # noqa: ARG002  # the Protocol's; a fake shows no times
        """Write numbers; see `Tracker.log_metrics`."""
        kept = self._known(key).metrics
        kept.extend(metric for metric in dict.fromkeys(metrics) if metric not in kept)

    def log_artifact(self, key: str, artifact: Artifact) -> None:
        """Keep a file; see `Tracker.log_artifact`."""
        self._known(key).artifacts[artifact.name] = artifact.content

    def end(self, key: str, status: Status, *, at: datetime) -> None:  # noqa: ARG002  # the Protocol's; a fake shows no times
        """Close a run; see `Tracker.end`."""
        self._known(key).status = status

    def _known(self, key: str) -> KeptRun:
        if key not in self.runs:
            raise UnknownRunError(key)
        return self.runs[key]
