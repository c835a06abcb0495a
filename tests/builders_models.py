"""A study whose ladder was run and stands in MLflow: what a model is registered from."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hnmets.tracking.opening import open_tracker
from hnmets.workflows import ablate
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.ladder import Choice
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.study_sections import View
from tests.builders_ladders import every_modality

EVERYTHING = ("size", "radiomics", "embedding", "clinical")


def view(model: str) -> View:
    """All features by one model."""
    return View(name=f"all by {model}", features=EVERYTHING, model=model)  # type: ignore[arg-type]  # a model


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """A study and the run that its models come from."""

    study: Study
    found: Ablation


def evaluated(
    folder: Path, empty_project: Path, models: Sequence[str] = ("logistic",)
) -> Evaluated:
    """Run the baselines and one rung per model, in a project whose MLflow has its tables."""
    shutil.copytree(empty_project, folder, dirs_exist_ok=True)
    study = every_modality(folder)
    views = tuple(map(view, models))
    choice = Choice(views=views, only=tuple(each.name for each in views))
    with open_tracker(folder) as tracker:
        return Evaluated(study=study, found=ablate.run(study, choice=choice, tracker=tracker))


def copy_of(evaluated: Evaluated, folder: Path) -> Study:
    """Copy everything, for whoever changes it."""
    shutil.copytree(evaluated.study.folder, folder)
    return load_study(folder / "study.toml", environ={})


def without_a_server() -> dict[str, str]:
    """The environment of a project that keeps its own runs."""
    return {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
