"""The study file: all settings of a study, checked, with the origin of each."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from feature_store.recipe import Json
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.domain.errors import InvalidDataError
from hnmets.domain.region import DrawnRegion, RegionRule, RingRegion
from hnmets.extractors.clinical import Clinical, ClinicalVariable
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.endpoint import Endpoint
from hnmets.extractors.roster import Roster
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.head_parameters import HeadParameters
from hnmets.registry.gates import GateRules
from hnmets.selection.reference import SelectionParameters
from hnmets.sources.clinical import ClinicalRule
from hnmets.sources.location import pattern_columns
from hnmets.sources.manifest import CohortRule
from hnmets.sources.outcomes import OutcomeRule
from hnmets.workflows.grouping import CENTRE, USUAL, why_no_groups
from hnmets.workflows.settings import (
    Layers,
    Place,
    Setting,
    environment,
    leaves,
    origin_of,
    stack,
    with_text,
)
from hnmets.workflows.study_errors import Problem, problems_of, refuse
from hnmets.workflows.study_rules import contradictions
from hnmets.workflows.study_sections import (
    ACQUISITION,
    About,
    BuildSection,
    ControlsSection,
    EmbeddingSection,
    EvaluationSection,
    RadiomicsSection,
    SizeSection,
    TripodNumber,
)
from hnmets.workflows.tuning_section import Tuned, TuningSection

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Study(BaseModel):
    """A study: where its cases are, what is measured in them, and what is to be predicted."""

    # Dataclasses of the stages inherit this: an unknown key is refused wherever it stands.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    about: About = Field(alias="study")
    cohort: CohortRule
    drawn: dict[Name, DrawnRegion] = Field(alias="regions", default_factory=dict)
    rings: dict[Name, RingRegion] = Field(default_factory=dict)
    clinical: dict[Name, ClinicalRule] = Field(default_factory=dict)
    outcome: OutcomeRule | None = None
    radiomics: RadiomicsSection = Field(default_factory=RadiomicsSection)
    size: SizeSection = Field(default_factory=SizeSection)
    embedding: EmbeddingSection = Field(default_factory=EmbeddingSection)
    backbone: BackboneParameters = Field(default_factory=BackboneParameters)
    controls: ControlsSection = Field(default_factory=ControlsSection)
    build: BuildSection = Field(default_factory=BuildSection)
    split: SplitParameters = Field(default_factory=SplitParameters)
    selection: SelectionParameters = Field(default_factory=SelectionParameters)
    head: HeadParameters = Field(default_factory=HeadParameters)
    tuning: TuningSection = Field(default_factory=TuningSection)
    tuned: Tuned | None = None
    evaluation: EvaluationSection = Field(default_factory=EvaluationSection)
    gates: GateRules = Field(default_factory=GateRules)
    # What no run can know: funding, ethics, intended use.
    tripod: dict[TripodNumber, str] = Field(default_factory=dict)

    _file: Path = PrivateAttr(default=Path("study.toml"))
    _root: Path = PrivateAttr(default=Path())
    _origins: dict[Place, str] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> Path:
        """The study file."""
        return self._file

    @property
    def folder(self) -> Path:
        """Folder of the study file: MLflow keeps its runs there."""
        return self._file.parent

    @property
    def root(self) -> Path:
        """Data folder: no image outside of it is read."""
        return self._root

    @property
    def store_folder(self) -> Path:
        """Folder of the feature store."""
        return self._file.parent / self.about.store

    @property
    def regions(self) -> dict[str, RegionRule]:
        """Drawn regions, then rings, by name."""
        return {**self.drawn, **self.rings}

    @property
    def measured(self) -> dict[str, tuple[str, ...]]:
        """Regions that each family of features measures, by section."""
        return {"radiomics": self._radiomics_regions, "size": self._size_regions}

    @property
    def predictors(self) -> dict[str, ClinicalRule]:
        """Clinical variables that models may see."""
        return {name: rule for name, rule in self.clinical.items() if rule.is_predictor}

    @property
    def subgroups(self) -> tuple[str, ...]:
        """What the cohort is divided by: `centre` and clinical variables."""
        if self.evaluation.subgroups is not None:
            return self.evaluation.subgroups
        groups = {name for name, rule in self.clinical.items() if not why_no_groups(name, rule)}
        if self.cohort.centre is not None:
            groups.add(CENTRE)
        return tuple(name for name in USUAL if name in groups)

    @property
    def acquisition(self) -> tuple[str, ...]:
        """Clinical variables that tell how the image was made."""
        if self.evaluation.acquisition is not None:
            return self.evaluation.acquisition
        told = {name for name, rule in self.clinical.items() if rule.type != "date"}
        return tuple(name for name in ACQUISITION if name in told)

    @property
    def embeddings(self) -> tuple[Embedding, ...]:
        """Feature sets of the deep branch; none where a study lacks tumour or ring."""
        section = self.embedding
        if not {section.tumour, section.ring} <= self.regions.keys():
            return ()
        parameters = section.parameters(self._file.parent)
        return tuple(
            Embedding(
                variant=variant,
                rules=self.regions,
                tumour=section.tumour,
                ring=section.ring,
                parameters=parameters,
            )
            for variant in section.variants
        )

    @property
    def tables(self) -> tuple[Roster | Clinical | Endpoint, ...]:
        """Feature sets that come from the manifest: patients, predictors and the outcome."""
        variables = tuple(_variable(name, rule) for name, rule in self.predictors.items())
        clinical = (Clinical(variables=variables),) if variables else ()
        outcome = (Endpoint(definition=_definition(self.outcome)),) if self.outcome else ()
        return (Roster(), *clinical, *outcome)

    @property
    def columns(self) -> dict[str, str]:
        """Every column of the manifest that the study names, by the setting that names it."""
        named = {f"cohort.{key}": column for key, column in self.cohort.columns.items()}
        for name, region in self.drawn.items():
            for column in pattern_columns(region.mask):
                named[f"regions.{name}.mask {{{column}}}"] = column
        named |= {f"clinical.{name}": rule.column for name, rule in self.clinical.items()}
        if self.outcome:
            named |= {f"outcome.{key}": name for key, name in self.outcome.columns.items()}
        return named

    @property
    def _radiomics_regions(self) -> tuple[str, ...]:
        if self.radiomics.regions is not None:
            return self.radiomics.regions
        return (*(name for name in self.drawn if name == "tumour"), *self.rings)

    @property
    def _size_regions(self) -> tuple[str, ...]:
        if self.size.regions is not None:
            return self.size.regions
        return tuple(name for name in ("tumour", "nodes") if name in self.drawn)

    def located(
        self, file: Path, *, environ: Mapping[str, str], origins: Mapping[Place, str]
    ) -> Self:
        """Return the study with its place on disk, and with regions where none were chosen.

        Raises
        ------
        InvalidDataError
            If the data folder needs an environment variable that is not set.
        """
        chosen = {
            "radiomics": replace(self.radiomics, regions=self._radiomics_regions),
            "size": replace(self.size, regions=self._size_regions),
        }
        study = self.model_copy(update=chosen)
        study._file = file
        study._root = file.parent / Path(_expanded(self.cohort.root, environ)).expanduser()
        study._origins = dict(origins)
        return study

    def settings(self) -> list[Setting]:
        """Return every setting in force, defaults included, with its origin."""
        content = self.model_dump(mode="json", by_alias=True)
        return [
            Setting(
                name=".".join(place),
                value=_at(content, place),
                origin=origin_of(place, self._origins),
            )
            for place in leaves(content)
        ]


def json_schema() -> dict[str, Any]:  # Any: JSON schema is a tree of JSON values
    """Return the JSON schema of the study file."""
    return Study.model_json_schema(by_alias=True)


def load_study(
    file: Path,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Study:
    """Read a study file; a flag counts more than the environment, and that more than the file.

    Parameters
    ----------
    flags
        Values by dotted name, such as `build.jobs`; None where a flag was not given.
    environ
        Variables such as `HNMETS_BUILD__JOBS`; by default those of the process.

    Raises
    ------
    InvalidDataError
        If there is no such file or something in it is wrong: all problems at once.
    """
    return parse_study(_read(file), file, flags=flags, environ=environ)


def parse_study(
    text: str,
    file: Path,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Study:
    """Return the study of a text that stands, or will stand, in a file; see `load_study`."""
    variables = environment() if environ is None else environ
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDataError(f"{file}: {error}").with_note(
            "TOML wants strings in quotes, and each key once per [table]."
        ) from None
    layers = stack(content, file_name=file.name, environ=variables, flags=flags or {})
    study, problems = _checked(layers)
    if study is not None:
        study = study.located(file, environ=variables, origins=layers.origins)
        problems = contradictions(study)
    if study is None or problems:
        raise refuse(problems, name=str(file), text=text, origins=layers.origins)
    return study


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidDataError(f"{file}: {error.strerror or error}").with_note(
            "`hnmets init` writes a study file to start from."
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{file}: byte {error.start} is not UTF-8") from None


def _checked(layers: Layers) -> tuple[Study | None, list[Problem]]:
    try:
        return _validated(layers.content), []
    except ValidationError as error:
        problems = problems_of(error, json_schema())
    # `2024` in the environment may be meant as a name: only the type of the setting tells.
    as_text = {place for place, _ in problems if place in layers.spelled}
    if not as_text:
        return None, problems
    try:
        return _validated(with_text(layers, as_text)), []
    except ValidationError as error:
        return None, problems_of(error, json_schema())


def _validated(content: Mapping[str, object]) -> Study:
    # JSON is strict about types and yet lets a list be a tuple and a text be a path.
    return Study.model_validate_json(json.dumps(content, default=str))


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    """Return the text with `${NAME}` replaced.

    Raises
    ------
    InvalidDataError
        If a variable is not set.
    """
    unset = [name for name in re.findall(r"\$\{(\w+)\}", text) if not environ.get(name)]
    if unset:
        raise InvalidDataError(
            f"cohort.root is '{text}', but {unset[0]} is not set in the environment"
        ).with_note(f"export {unset[0]}=/path/to/data, or set HNMETS_COHORT__ROOT.")
    return re.sub(r"\$\{(\w+)\}", lambda name: environ[name.group(1)], text)


def _variable(name: str, rule: ClinicalRule) -> ClinicalVariable:
    if rule.type == "number":
        return ClinicalVariable(name=name, type="number", unit=rule.unit)
    categories = ("false", "true") if rule.type == "boolean" else tuple(rule.values)
    return ClinicalVariable(name=name, type="category", categories=categories)


def _definition(rule: OutcomeRule) -> dict[str, Json]:
    definition: dict[str, Json] = json.loads(json.dumps(asdict(rule)))
    return definition


def _at(content: Mapping[str, Any], place: Place) -> object:
    value: object = content
    for part in place:
        value = value[part] if isinstance(value, Mapping) else None
    return value
