"""`demo`: the whole path on a synthetic cohort, so that a stranger sees it work."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.sources.synthetic.study_file import study_text
from hnmets.workflows import (
    ablate,
    cohort_check,
    cohort_synth,
    features_build,
    features_sheet,
    report,
    train_backbone,
)
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.cohort_check import Checked
from hnmets.workflows.enough_cases import require_enough_cases
from hnmets.workflows.features_build import Request
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import load_study, parse_study
from hnmets.workflows.train_backbone import Training


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
    """

    study: Path
    checked: Checked
    built: BuildReport
    sheets: list[Path]
    trained: Training
    ablation: Ablation
    page: Path


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
        on_step(f"1/8  hnmets cohort synth {flags} --out {out}")
        cohort_synth.run(out, parameters, jobs=jobs or 1, on_case=on_case)
    else:
        study = load_study(file, flags={"build.jobs": jobs})
        on_step(f"1/8  {out} holds a cohort already; it is used as it is")
    on_step(f"2/8  hnmets cohort check --study {file}")
    checked = cohort_check.run(study, on_case=on_case)
    on_step(f"3/8  hnmets features build --study {file}")
    built = features_build.run(study, Request(), on_case=on_case, on_step=on_step)
    on_step(f"4/8  hnmets features sheet --study {file} --out {out / 'sheet'}")
    sheets = features_sheet.run(study, out / "sheet", on_case=on_case).pages
    on_step(f"5/8  hnmets train backbone --study {file}")
    trained = train_backbone.run(study, train_backbone.Request(), on_epoch=on_case)
    on_step(f"6/8  hnmets features build --only embedding --study {file}")
    features_build.run(study, Request(only=("embedding",)), on_case=on_case, on_step=on_step)
    on_step(f"7/8  hnmets ablate --study {file}")
    ablation = ablate.run(study, on_fold=on_case)
    on_step(f"8/8  hnmets report --study {file} --out {out / 'report.html'}")
    return Shown(
        study=file,
        checked=checked,
        built=built,
        sheets=sheets,
        trained=trained,
        ablation=ablation,
        page=report.run(study, out / "report.html", asked=ablation.run),
    )
