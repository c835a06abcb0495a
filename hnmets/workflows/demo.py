"""`demo`: the whole path on a synthetic cohort, so that a stranger sees it work."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import InvalidDataError
from hnmets.registry.predictor import Asked
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.sources.synthetic.study_file import study_text
from hnmets.workflows import (
    ablate,
    cohort_check,
    cohort_synth,
    features_build,
    features_sheet,
    models_promote,
    models_register,
    predict,
    report,
    train_backbone,
)
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.cohort_check import Checked
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.enough_cases import require_enough_cases
from hnmets.workflows.features_build import Request
from hnmets.workflows.models_promote import Promotion
from hnmets.workflows.models_register import Registered
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.predict import Predicted
from hnmets.workflows.raw_case import RawCase
from hnmets.workflows.study import Study, load_study, parse_study
from hnmets.workflows.train_backbone import Training

# A rung without a trained backbone, which would be another one in every fold.
_RUNG = "clinical + radiomics"
_REASON = "a demonstration on synthetic patients"
_STRONGEST = 3


@dataclass(frozen=True, kw_only=True)
class Served:
    """A rung as a model that answers.

    Parameters
    ----------
    tried
        The gates, which a small cohort does not pass.
    promoted
        The same with a reason.
    predicted
        One patient, from CT to risk.
    """

    registered: Registered
    tried: Promotion
    promoted: Promotion
    predicted: Predicted


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the demo made.

    Parameters
    ----------
    study
        Study file, to go on with.
    sheets
        Pages of the contact sheet.
    trained
        The networks, one per training fold.
    ablation
        The ladder, each rung with its interval and the oracle of the cohort's truth.
    page
        The report, one HTML file.
    served
        The model that was registered from it.
    """

    study: Path
    checked: Checked
    built: BuildReport
    sheets: list[Path]
    trained: Training
    ablation: Ablation
    page: Path
    served: Served


def run(
    out: Path,
    parameters: SyntheticCohort,
    *,
    jobs: int | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
    on_case: OnCase = ignore,
) -> Shown:
    """Make a cohort, fill its store, train on its crops, climb the ladder, report it.

    A folder that holds the demo's cohort already is used again.

    Raises
    ------
    UsageError
        If the cohort is too small for the ladder's folds.
    """
    file = out / "study.toml"
    study = parse_study(study_text(), file, flags={"build.jobs": jobs})
    if not cohort_synth.is_complete(out):
        require_enough_cases(parameters, study.split)
        flags = f"--cases {parameters.cases} --seed {parameters.seed} --scale {parameters.scale:g}"
        on_step(f"1/12  hnmets cohort synth {flags} --out {out}")
        cohort_synth.run(out, parameters, jobs=jobs or 1, on_case=on_case)
    else:
        study = load_study(file, flags={"build.jobs": jobs})
        on_step(f"1/12  {out} holds a cohort already; it is used as it is")
    on_step(f"2/12  hnmets cohort check --study {file}")
    checked = cohort_check.run(study, on_case=on_case)
    on_step(f"3/12  hnmets features build --study {file}")
    built = features_build.run(study, Request(), on_case=on_case, on_step=on_step)
    on_step(f"4/12  hnmets features sheet --study {file} --out {out / 'sheet'}")
    sheets = features_sheet.run(study, out / "sheet", on_case=on_case).pages
    on_step(f"5/12  hnmets train backbone --study {file}")
    trained = train_backbone.run(study, train_backbone.Request(), on_epoch=on_case)
    on_step(f"6/12  hnmets features build --only embedding --study {file}")
    features_build.run(study, Request(only=("embedding",)), on_case=on_case, on_step=on_step)
    on_step(f"7/12  hnmets ablate --study {file}")
    ablation = ablate.run(study, on_fold=on_case)
    on_step(f"8/12  hnmets report --study {file} --out {out / 'report.html'}")
    page = report.run(study, out / "report.html", asked=ablation.run)
    return Shown(
        study=file,
        checked=checked,
        built=built,
        sheets=sheets,
        trained=trained,
        ablation=ablation,
        page=page,
        served=_served(study, file, ablation.run, on_step=on_step, on_case=on_case),
    )


def _served(
    study: Study, file: Path, run: str, *, on_step: Callable[[str], None], on_case: OnCase
) -> Served:
    """Register a rung, try the gates, override them, and predict a patient from a CT."""
    on_step(f'9/12  hnmets models register --rung "{_RUNG}" --study {file}')
    registered = models_register.run(study, asked=run, rung=_RUNG, on_fold=on_case)
    number = str(registered.version.number)
    on_step(f"10/12  hnmets models promote {number} --study {file}")
    tried = models_promote.run(study, number)
    on_step(f'11/12  hnmets models promote {number} --reason "{_REASON}" --study {file}')
    # A cohort large enough to pass has nothing to override.
    promoted = tried if tried.promoted else models_promote.run(study, number, reason=_REASON)
    raw, words = _first_case(study)
    on_step(f"12/12  hnmets predict {words} --study {file}")
    predicted = predict.by_image(study, raw, asked=Asked(contributions=_STRONGEST))
    return Served(registered=registered, tried=tried, promoted=promoted, predicted=predicted)


def _first_case(study: Study) -> tuple[RawCase, str]:
    """Return the first patient as somebody would bring one, and the options that say so."""
    case = read_cohort(study).cases[0]
    if case.image is None:
        raise InvalidDataError(f"case {case.case_id} has no image")
    known = {name: case.clinical.get(name) for name in study.predictors}
    clinical = {name: str(value) for name, value in known.items() if value is not None}
    raw = RawCase(
        case_id=case.case_id, image=case.image, masks=dict(case.masks), clinical=clinical
    )
    masks = " ".join(f"--mask {name}={path}" for name, path in raw.masks.items())
    told = ",".join(f"{name}={value}" for name, value in clinical.items())
    return raw, f"--image {raw.image} {masks} --clinical {told} --contributions {_STRONGEST}"
