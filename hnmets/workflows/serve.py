"""`serve`: a registered model on the network."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.domain.secret import read_secret
from hnmets.execution.port import require_free
from hnmets.registry.inputs import InputTable
from hnmets.registry.package import Package
from hnmets.registry.predictor import Predictor
from hnmets.registry.project_versions import find_version
from hnmets.registry.training_ids import read_key
from hnmets.registry.versions import ModelRegistry, package_in
from hnmets.serving.settings import ServeSettings
from hnmets.serving.source import Loaded
from hnmets.tracking.place import Place, place_of
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.model_versions import model_registry
from hnmets.workflows.packaging import key_file
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study

# Not an option: command lines are seen by everybody on the machine.
TOKEN_VARIABLE = "HNMETS_SERVE_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, kw_only=True)
class StudyModel:
    """The model of a study, and the store beside it; see `ModelSource`.

    Parameters
    ----------
    asked
        Number or alias: whoever is called so answers.
    """

    study: Study
    asked: str

    def current(self) -> str | None:
        """See `ModelSource.current`."""
        found = self._version()
        return None if found is None else found[1]

    def load(self) -> Loaded:
        """See `ModelSource.load`."""
        found = self._version()
        if found is None:
            raise UsageError(f"model '{self._registry.name}' has no version '{self.asked}'")
        number, package, folder = found
        key = key_file(self.study)
        return Loaded(
            name=self._registry.name,
            version=number,
            identity=package,
            predictor=Predictor.load(
                package_in(folder()),
                digest=package,
                key=read_key(key) if key.exists() else None,
            ),
        )

    def lookup(self, package: Package, case_ids: Sequence[str]) -> InputTable:
        """See `ModelSource.lookup`; the newest published rows are read."""
        snapshot = study_snapshot(self.study, read_cohort(self.study))
        return stored_inputs(package, snapshot, case_ids)

    @property
    def _place(self) -> Place:
        return place_of(self.study.folder, os.environ)

    @property
    def _registry(self) -> ModelRegistry:
        return model_registry(self.study)

    def _version(self) -> tuple[int, str, Callable[[], Path]] | None:
        """Return number and digest of who answers, and what fetches the model."""
        if self._place.chosen_uri is None:
            own = find_version(self._place, name=self._registry.name, asked=self.asked)
            return None if own is None else (own.number, own.package, lambda: own.folder)
        registry = self._registry
        for version in registry.versions():
            if self.asked in {str(version.number), *version.aliases}:
                cache = self.study.store_folder / "registry" / "models"
                return version.number, version.package, lambda: registry.fetch(version, cache)  # noqa: B023 - returned at once
        return None


def token() -> str | None:
    """Return the token that callers have to send; None where none was set."""
    return read_secret(TOKEN_VARIABLE, os.environ)


def run(
    study: Study,
    settings: ServeSettings,
    *,
    model: str,
    on_ready: Callable[[str], None],
) -> None:
    """Serve the model of a number or an alias, until the process is told to stop.

    Raises
    ------
    UsageError
        If there is no such version, or the port is taken.
    TamperedPackageError
        If its package is not as it was registered.
    """
    require_free(settings.host, settings.port)
    # FastAPI takes a second to load.
    from hnmets.serving.app import create_app
    from hnmets.serving.running import run_service

    source = StudyModel(study=study, asked=model)
    # Here and not in the service, so that a mistake ends in a line and not in a server of nothing.
    source.load()
    run_service(create_app(source, settings), settings, on_ready=on_ready)
