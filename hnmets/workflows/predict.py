"""`predict`: the risk of patients, by a registered model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

from feature_store.atomic import write_atomic
from hnmets.registry.inputs import InputTable
from hnmets.registry.package import OpenPackage, Package
from hnmets.registry.prediction import Answer, Prediction, Refused
from hnmets.registry.predictor import Asked, Predictor
from hnmets.registry.training_ids import read_key
from hnmets.registry.versions import CHAMPION, ModelRegistry, Version, package_in
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.input_file import tabled_inputs
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.model_versions import model_registry
from hnmets.workflows.on_case import OnStep, say_nothing
from hnmets.workflows.packaging import key_file
from hnmets.workflows.raw_case import RawCase, measured_inputs
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a model said, and which model that was."""

    name: str
    version: Version
    opened: OpenPackage
    answers: tuple[Answer, ...]

    @property
    def package(self) -> Package:
        """What the model is."""
        return self.opened.package

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """Patients who have a risk."""
        return tuple(each for each in self.answers if isinstance(each, Prediction))

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Patients of whom the model says nothing."""
        return tuple(each for each in self.answers if isinstance(each, Refused))

    def as_json(self) -> dict[str, object]:
        """Return everything as a JSON object."""
        return {
            "model": self.name,
            "version": self.version.number,
            "package": self.version.package,
            "predicts": self.package.predicts.text,
            "research_use_only": True,
            "predictions": [each.as_json() for each in self.predictions],
            "refused": [each.as_json() for each in self.refused],
        }


def by_cases(
    study: Study, case_ids: Sequence[str], *, model: str = CHAMPION, asked: Asked | None = None
) -> Predicted:
    """Predict cases whose features the study's store has.

    Parameters
    ----------
    case_ids
        All of the cohort by default.
    model
        Number or alias of the version.

    Raises
    ------
    UsageError
        If there is no such version or case.
    InvalidDataError
        If the store lacks a recipe that the model was fitted on, or the package is damaged.
    """
    opened = open_version(study, model)
    cohort = read_cohort(study)
    snapshot = study_snapshot(study, cohort)
    wanted = case_ids or [c.case_id for c in cohort.cases if c.case_id in set(snapshot.case_ids)]
    return opened.predict(stored_inputs(opened.predictor.package, snapshot, wanted), asked)


def by_table(
    study: Study, table: Path, *, model: str = CHAMPION, asked: Asked | None = None
) -> Predicted:
    """Predict the cases of a table.

    Raises
    ------
    UsageError
        If there is no such version.
    InvalidDataError
        If the table cannot be read or a value is not of its column's kind.
    """
    opened = open_version(study, model)
    return opened.predict(tabled_inputs(opened.predictor.package, table), asked)


def by_image(
    study: Study,
    raw: RawCase,
    *,
    model: str = CHAMPION,
    asked: Asked | None = None,
    on_step: OnStep = say_nothing,
) -> Predicted:
    """Predict a patient from CT, masks and clinical variables: all steps in one go.

    Raises
    ------
    UsageError
        If there is no such version, file, region or variable.
    InvalidDataError
        If the case cannot be measured.
    """
    opened = open_version(study, model)
    on_step("measuring the case")
    table = measured_inputs(study, opened.predictor.package, raw, on_step=on_step)
    return opened.predict(table, asked)


def write_pages(found: Predicted, out: Path, *, on: date) -> list[Path]:
    """Write one page per patient who has a risk; return the files.

    Parameters
    ----------
    out
        Folder; pages of the same patients are replaced.
    on
        Day of the prediction.
    """
    # Templates take half a second to load.
    from hnmets.reporting.prediction_page import prediction_page

    out.mkdir(parents=True, exist_ok=True)
    files = []
    for answer in found.predictions:
        page = prediction_page(
            answer, found.opened, name=found.name, version=found.version.number, on=on
        )
        # A case id may hold a slash.
        file = out / f"{quote(answer.case_id, safe='')}.html"
        files.append(write_atomic(file, page.encode()))
    return files


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenVersion:
    """A version that answers.

    Parameters
    ----------
    folder
        Of its MLflow model.
    """

    registry: ModelRegistry
    folder: Path
    version: Version
    predictor: Predictor

    def predict(self, table: InputTable, asked: Asked | None) -> Predicted:
        """Answer for every row."""
        return Predicted(
            name=self.registry.name,
            version=self.version,
            opened=self.predictor.opened,
            answers=self.predictor.predict(table, asked),
        )


def open_version(
    study: Study, model: str, *, registry: ModelRegistry | None = None
) -> OpenVersion:
    """Open the package of a version, compared with what the registry knows of it.

    Raises
    ------
    UsageError
        If there is no such version.
    TamperedPackageError
        If the package is not as it was registered.
    """
    versions = registry or model_registry(study)
    version = versions.version(model)
    folder = versions.fetch(version, study.store_folder / "registry" / "models")
    file = key_file(study)
    key = read_key(file) if file.exists() else None
    return OpenVersion(
        registry=versions,
        folder=folder,
        version=version,
        predictor=Predictor.load(package_in(folder), digest=version.package, key=key),
    )
