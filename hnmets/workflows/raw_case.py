"""One patient's CT, masks and clinical variables, measured as the study measures its cases."""

import csv
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from feature_store.atomic import link_or_copy
from feature_store.snapshot import read_snapshot
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.execution.local import InProcess
from hnmets.extractors.trained_embedding import KIND as TRAINED
from hnmets.registry.inputs import InputTable
from hnmets.registry.package import Package
from hnmets.sources.clinical import ClinicalRule, read_column
from hnmets.sources.finding import Findings
from hnmets.workflows import features_build
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.features_build import Request
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_networks import kept_embeddings
from hnmets.workflows.on_case import OnStep, say_nothing
from hnmets.workflows.study import Study

_CASE, _IMAGE = "case", "image"


@dataclass(frozen=True, kw_only=True)
class RawCase:
    """What a person has of a patient.

    Parameters
    ----------
    image
        CT, NIfTI.
    masks
        By the name of a drawn region.
    clinical
        By the name of a variable: a category, or a spelling of the study's table.
    """

    image: Path
    masks: Mapping[str, Path]
    clinical: Mapping[str, str] = field(default_factory=dict)
    case_id: str = "patient"


def measured_inputs(
    study: Study, package: Package, raw: RawCase, *, on_step: OnStep = say_nothing
) -> InputTable:
    """Measure what the model has to be told, by the study's own settings.

    The way is that of `features build`: a study of one case, in a folder that is gone afterwards.

    Raises
    ------
    UsageError
        If a region or a variable is none of the study's, or a value is none of its variable's.
    InvalidDataError
        If the case cannot be measured, or the study's settings are no longer the model's.
    """
    _require_known(study, raw)
    _require_understood(study, raw)
    with tempfile.TemporaryDirectory() as place:
        one = _study_of_one(study, raw, Path(place))
        cohort = read_cohort(one)
        for failure in cohort.failures:
            raise InvalidDataError(f"{failure.code}: {failure.detail}").with_note(
                failure.next_step
            )
        request = _request(study, package, one)
        report = features_build.run(one, request, executor=InProcess(), on_step=on_step)
        for failure in report.failures:
            raise InvalidDataError(f"{failure.stage}: {failure.code}: {failure.detail}").with_note(
                failure.next_step
            )
        return stored_inputs(package, read_snapshot(one.store_folder), [raw.case_id])


def _request(study: Study, package: Package, one: Study) -> Request:
    """Return the build of what the model is told: the rest would cost seconds for nothing."""
    measured = [used for used in package.recipes if used.kind != TRAINED]
    return Request(
        only=tuple({"cohort", *(used.kind for used in measured)}),
        names=frozenset(used.name for used in measured),
        networks=kept_embeddings(study, package.networks, one),
    )


def _require_known(study: Study, raw: RawCase) -> None:
    for what, given, known in (
        ("region", raw.masks, study.drawn),
        ("clinical variable", raw.clinical, study.predictors),
    ):
        if unknown := [name for name in given if name not in known]:
            raise UsageError(f"no {what} '{unknown[0]}' in the study").with_note(
                f"It has {', '.join(known) or 'none'}."
            )


def _require_understood(study: Study, raw: RawCase) -> None:
    """Refuse what cannot be read: in a table it is missing, but here a person meant it.

    Raises
    ------
    UsageError
        If a value is none of its variable's.
    """
    for name, text in raw.clinical.items():
        rule = _typed(study.predictors[name])
        findings = Findings()
        read_column(rule, [(1, text)], findings)
        for finding in findings.collected():
            raise UsageError(
                f"clinical variable '{name}' is '{text}': {finding.problem}"
            ).with_note(f"{_allowed(rule)}, or leave it out where it is not known.")


def _typed(rule: ClinicalRule) -> ClinicalRule:
    """Return the rule of a value that was typed: the decimal sign of a table binds no person."""
    return replace(rule, decimal=None)


def _allowed(rule: ClinicalRule) -> str:
    if rule.type != "number":
        return "Give it as the study spells it"
    limits = [
        f"{word} {limit:g}"
        for word, limit in (("from", rule.minimum), ("to", rule.maximum))
        if limit is not None
    ]
    return " ".join(["Give a number", *limits, rule.unit]).rstrip()


def _study_of_one(study: Study, raw: RawCase, place: Path) -> Study:
    """Return the study with one case for its cohort; what is measured, and how, stays."""
    _write_manifest(study, raw, place)
    cohort = replace(
        study.cohort,
        root=str(place),
        manifest="case.csv",
        separator=",",
        sheet=None,
        case=_CASE,
        patient=None,
        centre=None,
        image=_IMAGE,
        exclude={},
    )
    changed = study.model_copy(
        update={
            "about": replace(study.about, store=place / "store"),
            "cohort": cohort,
            "drawn": {n: replace(r, mask=f"mask {n}") for n, r in study.drawn.items()},
            "clinical": {
                name: replace(_typed(rule), column=f"clinical {name}")
                for name, rule in study.predictors.items()
            },
            "outcome": None,
            # The engine's audit is of cohorts.
            "build": replace(study.build, jobs=1, audit_percent=0.0),
        }
    )
    return changed.located(study.folder / "study.toml", environ={}, origins={})


def _write_manifest(study: Study, raw: RawCase, place: Path) -> None:
    """Bring the files, and write the table of the one case."""
    columns = {_CASE: raw.case_id, _IMAGE: _brought(raw.image, place, "ct", option="--image")}
    for name in study.drawn:
        mask = raw.masks.get(name)
        option = "--tumour" if name == "tumour" else f"--mask {name}=…"
        columns[f"mask {name}"] = (
            "" if mask is None else _brought(mask, place, name, option=option)
        )
    for name in study.predictors:
        columns[f"clinical {name}"] = raw.clinical.get(name, "")
    with (place / "case.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, columns.values()])


def _brought(file: Path, place: Path, name: str, *, option: str) -> str:
    """Have a file lie in the data folder, outside of which nothing is read; return its name.

    Raises
    ------
    UsageError
        If it is not there.
    """
    if not file.is_file():
        raise UsageError(f"no file '{file}'").with_note(f"Correct the path of {option}.")
    target = place / f"{name}{''.join(file.suffixes[-2:])}"
    return link_or_copy(file, target).name
