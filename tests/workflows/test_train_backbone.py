"""The deep branch end to end: crops cut, networks trained in their folds, everybody embedded."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from feature_store.snapshot import read_snapshot
from hnmets.datasets.provenance import patient_digest
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.estimate import Estimate
from hnmets.execution.local import InProcess
from hnmets.networks.fold_model import read_fold_model
from hnmets.networks.weights_file import WeightsError
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, ablate_backbones, features_build
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.fold_networks import backbone_folder, trained_embeddings, weights_path
from hnmets.workflows.ladder import Choice
from hnmets.workflows.store_view import in_view
from hnmets.workflows.study import Study
from hnmets.workflows.study_split import study_split
from tests.builders_backbones import CNN, FOLDS, build, settings, train, with_crops
from tests.builders_cohorts import copy_of, write_cohort

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort with its crops."""
    return with_crops(tmp_path_factory.mktemp("deep"))


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Study:
    """A copy of it, with the store."""
    file = copy_of(built, tmp_path / "copy")
    shutil.copytree(built.parent / "store", file.parent / "store")
    return settings(file)


def test_each_fold_has_a_network_that_never_saw_whom_the_fold_scores_or_chooses_by(
    study: Study,
) -> None:
    trained = train(study)
    assert [each.fold for each in trained.folds] == [*FOLDS]
    snapshot = in_view(read_cohort(study), read_snapshot(study.store_folder))
    split = study_split(study, read_cohort(study), snapshot)
    of_patient = {subject.case_id: subject.patient_id for subject in split.subjects}
    for fold in split.folds[:2]:
        model = read_fold_model(weights_path(study, "cnn", fold.name)).model
        assert set(model.patients) == {patient_digest(of_patient[case]) for case in fold.fitting()}
        unseen = {patient_digest(of_patient[case]) for case in (*fold.held_out, *fold.choosing())}
        assert unseen.isdisjoint(model.patients)
        assert (model.fold, model.split) == (fold.name, split.hash)
    assert not list(backbone_folder(study).rglob("*.checkpoint"))


def test_a_build_embeds_everybody_by_every_network_and_a_ladder_compares(study: Study) -> None:
    trained = train(study)
    snapshot = build(study)
    tables = [t for t in snapshot.tables.values() if t.recipe.name == "trained.cnn"]
    assert [len(set(table.case_ids)) for table in tables] == [24, 24]
    assert {t.recipe.parameters["trained_on"]["fold"] for t in tables} == {*FOLDS}  # type: ignore[call-overload,index]  # JSON
    assert {t.recipe.label for t in tables} == {each.recipe for each in trained.folds}
    assert not np.allclose(tables[0].vectors, tables[1].vectors)
    found = ablate.run(study, choice=Choice(preset="backbones"), tracker=InMemoryTracker())
    names = [scores.out_of_fold.rung.name for scores in found.scores]
    assert names[-2:] == ["embedding cnn", "trained cnn"]
    # Of the two repeats the networks have one.
    (remark,) = found.remarks
    assert remark.startswith("all rungs are scored in 1 of 2 repeats")
    assert {scores.out_of_fold.n_fits for scores in found.scores} == {2}


def test_a_ladder_says_that_nobody_is_embedded_by_a_network_yet(study: Study) -> None:
    train(study, replace(CNN, folds=(1,)))
    found = ablate.run(study, choice=Choice(only=("clinical",)), tracker=InMemoryTracker())
    (remark,) = found.remarks
    assert remark.startswith("trained.cnn is trained, and nobody is embedded by it yet")


def test_what_is_trained_is_not_trained_again_and_reads_no_crop(study: Study) -> None:
    first = train(study)
    again = train(study)
    assert [each.sha256 for each in again.folds] == [each.sha256 for each in first.folds]
    assert not any(each.epochs for each in again.folds)
    assert again.run == ""
    # It would take as long as reading the cohort: nothing is read where nothing is trained.
    shutil.rmtree(study.store_folder / "crops")
    assert [each.sha256 for each in train(study).folds] == [each.sha256 for each in first.folds]
    with pytest.raises(InvalidDataError, match="its crop is gone"):
        train(study, replace(CNN, force=True))


def test_other_settings_train_anew(study: Study) -> None:
    train(study)
    longer = train(settings(study.folder / "study.toml", backbone__weight_decay=0.1))
    assert all(each.epochs for each in longer.folds)


def test_the_same_seed_gives_the_same_weights(study: Study) -> None:
    first = train(study)
    again = train(study, replace(CNN, force=True))
    assert all(each.epochs for each in again.folds)
    weights = [load_file(weights_path(study, "cnn", fold)) for fold in FOLDS]
    assert [each.model.patients for each in first.folds] == [  # type: ignore[union-attr]  # trained
        each.model.patients
        for each in again.folds  # type: ignore[union-attr]  # trained
    ]
    other = train(study, replace(CNN, init=1))
    assert all(each.epochs for each in other.folds)
    moved = load_file(weights_path(study, "cnn", FOLDS[0]))
    assert any(not np.array_equal(moved[name], weights[0][name]) for name in moved)


def test_networks_of_other_settings_are_not_the_study_s(study: Study) -> None:
    train(study)
    assert len(trained_embeddings(study)) == 2
    other = settings(study.folder / "study.toml", backbone__learning_rate=0.1)
    assert trained_embeddings(other) == ()


def test_a_network_that_learns_from_the_tumour_alone_embeds_by_it_alone(study: Study) -> None:
    train(study)
    alone = settings(study.folder / "study.toml", backbone__variant="tumour")
    assert trained_embeddings(alone) == ()
    assert all(each.epochs for each in train(alone).folds)
    assert {each.variant for each in trained_embeddings(alone)} == {"tumour"}
    snapshot = build(alone)
    labels = {each.recipe.label for each in trained_embeddings(alone)}
    assert labels <= {table.recipe.label for table in snapshot.tables.values()}


def test_one_fold_alone_can_be_trained_and_no_ladder_rests_on_it(study: Study) -> None:
    trained = train(study, replace(CNN, folds=(2,)))
    assert [each.fold for each in trained.folds] == [FOLDS[1]]
    build(study)
    found = ablate.run(study, choice=Choice(preset="backbones"), tracker=InMemoryTracker())
    assert "trained cnn" not in [scores.out_of_fold.rung.name for scores in found.scores]
    (remark,) = found.remarks
    assert remark.startswith("trained.cnn is left out: it was trained in repeat 1 fold 2 alone")


def test_curves_and_facts_of_every_fold_are_remembered(study: Study) -> None:
    tracker = InMemoryTracker()
    trained = train(study, tracker=tracker)
    parent, *folds = tracker.runs.values()
    assert parent.run.key == trained.run
    assert [run.run.tags["fold"] for run in folds] == [*FOLDS]
    for run, fold in zip(folds, trained.folds, strict=True):
        assert run.run.tags["weights"] == fold.sha256
        assert run.run.tags["recipe"] == fold.recipe
        losses = [m.value for m in run.metrics if m.name == "inner_loss"]
        assert losses == [epoch.inner_loss for epoch in fold.epochs]
        assert run.run.tags["device"].startswith(("CPU", "NVIDIA"))


def test_a_fold_that_does_not_exist_is_named(study: Study) -> None:
    with pytest.raises(UsageError, match="no fold 3 in repeat 1"):
        train(study, replace(CNN, folds=(3,)))
    with pytest.raises(UsageError, match="no repeat 3"):
        train(study, replace(CNN, repeats=3))


def test_a_training_that_diverges_leaves_the_other_folds_and_says_why(study: Study) -> None:
    wild = settings(study.folder / "study.toml", backbone__learning_rate=1e30)
    trained = train(wild)
    assert [bool(each.failure) for each in trained.failed] == [True, True]
    assert "not finite" in trained.failed[0].failure


def test_a_store_without_crops_says_how_to_cut_them(tmp_path: Path) -> None:
    file = write_cohort(tmp_path, SyntheticCohort(cases=12, seed=5, scale=0.25))
    study = settings(file)
    only = ("cohort", "clinical", "outcome")
    features_build.run(study, features_build.Request(only=only), executor=InProcess())
    with pytest.raises(InvalidDataError, match="no crops") as caught:
        train(study)
    assert "features build --only embedding" in str(caught.value.__notes__)


def test_weights_that_do_not_say_whom_they_saw_are_refused(study: Study) -> None:
    train(study, replace(CNN, folds=(1,)))
    path = weights_path(study, "cnn", FOLDS[0])
    save_file(load_file(path), path)
    with pytest.raises(WeightsError, match="does not tell whom it was trained on"):
        trained_embeddings(study)


def test_a_truncated_file_of_weights_is_refused(study: Study) -> None:
    train(study, replace(CNN, folds=(1,)))
    path = weights_path(study, "cnn", FOLDS[0])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=path.name):
        trained_embeddings(study)


def test_the_header_tells_no_patient(study: Study) -> None:
    train(study, replace(CNN, folds=(1,)))
    told = json.dumps(read_fold_model(weights_path(study, "cnn", FOLDS[0])).model.as_json())
    assert "SYN-" not in told


@pytest.mark.slow
def test_backbones_are_compared_in_one_table_under_equal_budgets(study: Study) -> None:
    found = ablate_backbones.run(study, ["cnn", "resnet10"])
    names = [scores.out_of_fold.rung.name for scores in found.scores]
    assert names[-4:] == ["embedding cnn", "embedding resnet10", "trained cnn", "trained resnet10"]
    stored = [each.stored.model for each in trained_embeddings(study)]
    assert {(m.backbone, m.fold) for m in stored} == {
        (name, fold) for name in ("cnn", "resnet10") for fold in FOLDS
    }
    assert len({json.dumps(m.settings["training"], sort_keys=True) for m in stored}) == 1
    assert len({m.data for m in stored}) == len(FOLDS)
    assert all(isinstance(scores.measures["auc"], Estimate) for scores in found.scores)
