"""A search of backbones: its crops and folds, and what its winners are worth in the outer ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.assembly import assemble
from hnmets.datasets.errors import FoldMismatchError, listed
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.youden import youden_threshold
from hnmets.models.recalibration import recalibration
from hnmets.networks.architecture import PRESETS
from hnmets.tuning.backbone_space import BackboneConfiguration
from hnmets.tuning.plan import BackbonePlan
from hnmets.tuning.records import Records, trial_of
from hnmets.workflows.ablation_plan import material_of
from hnmets.workflows.backbone_lessons import Lessons, lessons_of
from hnmets.workflows.cross_validation import Tally, out_of_fold
from hnmets.workflows.ladder import Rung
from hnmets.workflows.nested import TUNED, Nested, outer_aucs, winners_of
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.rung_scores import scores_of
from hnmets.workflows.searches import (
    InnerFolds,
    Missing,
    Search,
    inner_folds,
    missing_parts,
    name_of,
    opened_folder,
)
from hnmets.workflows.study import Study

# A share of the epochs: before, networks tell little of what they will become.
_FIRST_RUNG = 4


@dataclass(frozen=True, kw_only=True)
class SearchOfBackbones(Search):
    """A search of backbones that is prepared.

    Parameters
    ----------
    lessons
        The crops of the study, and where its own training starts.
    """

    plan: BackbonePlan
    lessons: Lessons


def prepare_backbones(
    study: Study, *, on_part: OnCase = ignore, must_exist: bool = False
) -> SearchOfBackbones:
    """Check what may be chosen against the study's crops, and write these beside the folds.

    Each study has one inner fold: a network takes minutes where a head takes a tenth of a second.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, the store no crops, the space a shape that is none for them,
        or no fold can be searched for.
    """
    _refuse_weights(study)
    material = material_of(study)
    lessons = lessons_of(study, material.snapshot, material.split, backbone="swin", init=None)
    view = FeatureView(name="crops", recipes=(lessons.embedding.recipe.label,))
    dataset = assemble(material.snapshot, view)
    inner = inner_folds(study, material.split, dataset, fewest=1)
    plan = _plan(study, lessons, dataset.digest, material.split.hash, inner)
    folder = opened_folder(study, plan.name, must_exist=must_exist)
    # Before its crops: who asks meanwhile shall hear of the search.
    plan.write(folder)
    from hnmets.tuning.crop_file import has_crops, save_crops

    if not has_crops(folder):
        on_part("crops", 0, 1)
        save_crops(folder, lessons.crops, _outcome(lessons))
    first = (each for each in missing_parts(folder, inner, material.split) if _is_first(each))
    for each in first:
        _write_roles(each, lessons)
    return SearchOfBackbones(
        study=study,
        plan=plan,
        folder=folder,
        dataset=dataset,
        split=inner.searched(material.split),
        unsearched=inner.unsearched,
        lessons=lessons,
    )


def nested_backbones(search: SearchOfBackbones, records: Records, on_fold: OnCase) -> Nested:
    """Train the winner and the study's own settings in each outer fold, and score both once.

    Raises
    ------
    InvalidDataError
        If the study of an outer fold has no trial that was trained to its end.
    """
    winners = winners_of(search.split, records)
    folds = [f for f in folds_of(search.dataset, search.split) if not f.why_untrainable]
    rungs = [_rung(search, "as the study"), _rung(search, TUNED)]
    tallies = [Tally() for _ in rungs]
    for number, fold in enumerate(folds):
        on_fold(fold.fold.name, number, len(folds))
        chosen = search.plan.configuration(trial_of(winners[fold.fold.name]))
        for tally, each in zip(tallies, (_own(search), chosen), strict=True):
            _score(tally, search, fold, each, number)
    on_fold("", len(folds), len(folds))
    found = out_of_fold(rungs, tallies, search.dataset.rows)
    study = search.study
    return Nested(
        scores=scores_of(
            found,
            family=(),
            bootstrap=Bootstrap(draws=study.evaluation.draws, seed=study.split.seed),
        ),
        winners=winners,
        oracles={},
        outer_aucs=outer_aucs(found[-1], folds),
    )


def _score(
    tally: Tally,
    search: SearchOfBackbones,
    fold: FoldRows,
    chosen: BackboneConfiguration,
    number: int,
) -> None:
    """Train on the fold's fitting part, stop and calibrate by the choosing one, score the rest."""
    from hnmets.models.backbone.cases import TrainingCases
    from hnmets.models.backbone.training import train
    from hnmets.tuning.backbone_tries import encoder_for, scores_of

    lessons = search.lessons
    crops = replace(lessons.crops, variant=chosen.training.variant)
    choosing, held_out = fold.choosing(), fold.held_out
    stopping = _places(lessons, choosing.case_ids)
    trained = train(
        TrainingCases(
            crops=crops,
            outcome=_outcome(lessons),
            fitting=_places(lessons, fold.fitting().case_ids),
            stopping=stopping,
        ),
        encoder_for(chosen, search.plan),
        chosen.training,
    )
    seen = scores_of(trained, crops, stopping).astype(np.float64)
    calibration = recalibration(seen, choosing.outcome)
    scored = scores_of(trained, crops, _places(lessons, held_out.case_ids)).astype(np.float64)
    both = len(set(choosing.outcome.tolist())) == 2
    threshold = youden_threshold(choosing.outcome, calibration.risk(seen)) if both else 0.5
    tally.score(held_out, calibration.risk(scored), threshold, (1, number))


def _own(search: SearchOfBackbones) -> BackboneConfiguration:
    """Return what `train backbone` would train."""
    study = search.study
    return BackboneConfiguration(
        backbone="swin",
        architecture=search.plan.architecture,
        init=study.embedding.seed,
        training=study.backbone,
    )


def _plan(
    study: Study, lessons: Lessons, data: str, split: str, inner: InnerFolds
) -> BackbonePlan:
    parameters = lessons.embedding.parameters
    architecture = parameters.architecture
    space = study.tuning.backbone.filled(architecture)
    if wrong := space.why_not(architecture, parameters.crop.size_voxels):
        raise InvalidDataError(f"[tuning.backbone] {wrong}").with_note(
            f"The preset '{study.embedding.preset}' has heads of "
            f"{PRESETS[study.embedding.preset].embed_dim // architecture.heads[0]} channels and "
            f"crops of {parameters.crop.size_voxels} voxels."
        )
    epochs = study.backbone.epochs
    first = max(1, epochs // _FIRST_RUNG)
    rungs = tuple(epoch for epoch in (first, 2 * first) if epoch < epochs) or (1,)
    deciding = {
        "data": data,
        "crops": [lessons.cached.keys[case] for case in lessons.place],
        "split": split,
        "studies": list(inner.folds),
        "space": asdict(space),
        "training": asdict(study.backbone),
        "network": lessons.settings,
        "seed": study.tuning.seed,
        "folds": study.tuning.inner_folds,
    }
    return BackbonePlan(
        name=name_of("backbone", deciding),
        studies=dict.fromkeys(inner.folds, 1),
        trials=study.tuning.trials,
        seed=study.tuning.seed,
        rungs=rungs,
        space=space,
        base=study.backbone,
        architecture=architecture,
        merging=parameters.merges,
    )


def _refuse_weights(study: Study) -> None:
    if study.embedding.weights is not None:
        raise InvalidDataError(
            "a search of backbones starts from drawn weights, and [embedding] names a file"
        ).with_note("Take `weights` out for the search: other shapes could not read them.")


def _is_first(each: Missing) -> bool:
    return each.file.stem == "0"


def _write_roles(each: Missing, lessons: Lessons) -> None:
    from hnmets.tuning.crop_file import Roles, save_roles

    rows = each.fold.fitting(), each.fold.choosing(), each.fold.held_out
    seen = {case for part in rows for case in part.case_ids}
    if stray := sorted(seen & set(each.never)):
        raise FoldMismatchError(
            f"a search would see cases that its outer fold holds out: {listed(stray)}"
        )
    fitting, stopping, scored = (_places(lessons, part.case_ids) for part in rows)
    save_roles(each.file, Roles(fitting=fitting, stopping=stopping, scored=scored))


def _rung(search: SearchOfBackbones, name: str) -> Rung:
    return Rung(name=name, recipes=(search.lessons.embedding.recipe.name,), model="fusion")


def _places(lessons: Lessons, cases: Sequence[str]) -> NDArray[np.int64]:
    return np.array([lessons.place[case] for case in cases], dtype=np.int64)


def _outcome(lessons: Lessons) -> NDArray[np.bool_]:
    return np.array([lessons.event[case] for case in lessons.place], dtype=np.bool_)
