"""Versions of a study's model in MLflow's registry, and the aliases by which people call them."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from feature_store.atomic import sync_folder
from hnmets.domain.errors import UsageError
from hnmets.registry.mlflow_model import PACKAGE_FOLDER, tree_digest
from hnmets.tracking import mlflow_settings
from hnmets.tracking.answers import understood
from hnmets.tracking.mlflow_tracker import KEY_TAG
from hnmets.tracking.place import Place

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
# Remarks on a version that begin so say what it was worth elsewhere.
LOOK = "hnmets.look."
_PACKAGE, _MODEL, _RUN, _RUNG, _KIND = (
    f"hnmets.{name}" for name in ("package", "model", "run", "rung", "kind")
)


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version.

    Parameters
    ----------
    package, model
        Digests of the package, and of everything that MLflow keeps of the model.
    run
        Key of the run that evaluated it.
    created
        ISO time, UTC.
    elsewhere
        What it was worth in patients of elsewhere, a line per look.
    """

    number: int
    package: str
    model: str
    run: str
    rung: str
    kind: str
    created: str
    aliases: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """What is registered.

    Parameters
    ----------
    folder
        Of the MLflow model.
    package
        Digest of the package in it.
    """

    folder: Path
    package: str
    run: str
    rung: str
    kind: str


class ModelRegistry:
    """The versions of one model; asks nothing on creation.

    Parameters
    ----------
    name
        Of the registered model.
    """

    def __init__(self, place: Place, *, name: str) -> None:
        mlflow_settings.apply()
        self._place = place
        self.name = name

    def register(self, new: NewVersion, *, experiment: str) -> Version:
        """Add a version; a kill leaves it out, or there and whole.

        Parameters
        ----------
        experiment
            In which the run stands that evaluated it.

        Raises
        ------
        UsageError
            If the run is not in MLflow.
        """
        tags = {
            _PACKAGE: new.package,
            _MODEL: tree_digest(new.folder),
            _RUN: new.run,
            _RUNG: new.rung,
            _KIND: new.kind,
        }
        with understood():
            experiment_id, run_id = self._run(experiment, new.run)
            model = self._client.create_logged_model(
                experiment_id, name=self.name, source_run_id=run_id, tags=tags
            )
            self._upload(model, new.folder)
            self._client.finalize_logged_model(model.model_id, "READY")
            self._require_registered()
            made = self._client.create_model_version(
                self.name,
                source=model.artifact_location,
                run_id=run_id,
                tags=tags,
                model_id=model.model_id,
            )
        return self.version(str(made.version))

    def versions(self) -> tuple[Version, ...]:
        """Return all versions, the newest first."""
        with understood():
            found = self._client.search_model_versions(f"name = '{self.name}'")
        ordered = sorted(found, key=lambda each: -int(each.version))
        aliases = self._aliases()
        return tuple(_version(each, aliases) for each in ordered)

    def version(self, asked: str) -> Version:
        """Return the version of a number or an alias.

        Raises
        ------
        UsageError
            If there is none.
        """
        known = self.versions()
        for each in known:
            if asked == str(each.number) or asked in each.aliases:
                return each
        names = [str(v.number) for v in known] + [a for v in known for a in v.aliases]
        raise UsageError(f"model '{self.name}' has no version '{asked}'").with_note(
            f"There are {', '.join(names)}."
            if known
            else "Register a run first: `hnmets models register`."
        )

    def called(self, alias: str) -> Version | None:
        """Return the version of an alias; None where nobody is called so."""
        return next((each for each in self.versions() if alias in each.aliases), None)

    def call(self, alias: str, version: Version | None) -> None:
        """Give an alias to a version, or to nobody; MLflow changes it in one transaction."""
        with understood():
            if version is None:
                self._client.delete_registered_model_alias(self.name, alias)
            else:
                self._client.set_registered_model_alias(self.name, alias, str(version.number))

    def remark(self, version: Version, name: str, text: str) -> None:
        """Keep a text with a version, for whoever looks at it in MLflow's pages."""
        with understood():
            self._client.set_model_version_tag(self.name, str(version.number), name, text)

    def fetch(self, version: Version, cache: Path) -> Path:
        """Return the folder of the MLflow model of a version.

        Parameters
        ----------
        cache
            Where a copy is kept of what lies on a server.
        """
        with understood():
            number = str(version.number)
            uri: str = self._client.get_model_version_download_uri(self.name, number)
            if self._place.chosen_uri is None:
                return self._place.project / uri
            return self._downloaded(uri, cache / version.model)

    @cached_property
    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._place.uri, registry_uri=self._place.uri)

    def _run(self, experiment: str, key: str) -> tuple[str, str]:
        found = self._client.get_experiment_by_name(experiment)
        ids = [] if found is None else [found.experiment_id]
        runs = self._client.search_runs(ids, f"tags.`{KEY_TAG}` = '{key}'") if ids else []
        if not runs:
            raise UsageError(f"run {key[:8]} is not in MLflow").with_note(
                "A model is registered from a run that others can look at: run "
                "`hnmets ablate` again, or `hnmets ui`, which sends what waits."
            )
        return found.experiment_id, runs[0].info.run_id

    def _upload(self, model: "LoggedModel", folder: Path) -> None:
        if self._place.chosen_uri is None:
            # MLflow would take the relative folder from where the process happens to be.
            target = self._place.project / model.artifact_location
            shutil.copytree(folder, target, dirs_exist_ok=True)
            sync_folder(target)
        else:
            self._client.log_model_artifacts(model.model_id, str(folder))

    def _downloaded(self, uri: str, target: Path) -> Path:
        from mlflow.artifacts import download_artifacts

        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as place:
                got = download_artifacts(
                    artifact_uri=uri, dst_path=place, tracking_uri=self._place.uri
                )
                Path(got).rename(target)
        return target

    def _require_registered(self) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_registered_model(self.name)
        except MlflowException:
            self._client.create_registered_model(self.name)

    def _aliases(self) -> Mapping[str, str]:
        from mlflow.exceptions import MlflowException

        try:
            found: Mapping[str, str] = self._client.get_registered_model(self.name).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return found


def package_in(model: Path) -> Path:
    """Return the package in the folder of an MLflow model."""
    return model / PACKAGE_FOLDER


def _version(found: "ModelVersion", aliases: Mapping[str, str]) -> Version:
    tags = found.tags
    created = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)
    return Version(
        number=int(found.version),
        package=tags.get(_PACKAGE, ""),
        model=tags.get(_MODEL, ""),
        run=tags.get(_RUN, ""),
        rung=tags.get(_RUNG, ""),
        kind=tags.get(_KIND, ""),
        created=created.isoformat(timespec="seconds"),
        aliases=tuple(
            sorted(a for a, number in aliases.items() if int(number) == int(found.version))
        ),
        elsewhere=tuple(text for name, text in sorted(tags.items()) if name.startswith(LOOK)),
    )
