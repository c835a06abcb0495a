"""What is registered is what was measured: fitted again, compared, and none of it pickled."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hnmets.datasets.fold_rows import folds_of
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.estimate import Estimate
from hnmets.models.names import ModelName
from hnmets.registry.errors import ReplayError
from hnmets.registry.prediction import Prediction
from hnmets.registry.predictor import Asked, Predictor
from hnmets.registry.versions import package_in
from hnmets.tracking.naming import metrics_of
from hnmets.workflows import models_register, report
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_risks import keep_risks, risks_of
from hnmets.workflows.model_versions import model_registry
from hnmets.workflows.models_register import Registered
from hnmets.workflows.packaging import key_file
from hnmets.workflows.report import findings_of
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study, load_study
from tests.builders_models import Evaluated, copy_of, evaluated

MODELS = get_args(ModelName)


@pytest.fixture(scope="module")
def ladder(
    tmp_path_factory: pytest.TempPathFactory, tracking_template: Path
) -> Iterator[Evaluated]:
    """Every model of the catalog on all features, in two folds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("registered") / "project"
        yield evaluated(folder, tracking_template, MODELS)


@pytest.fixture
def study(ladder: Evaluated, tmp_path: Path) -> Study:
    """A copy that may be changed."""
    return copy_of(ladder, tmp_path / "project")


def opened(study: Study, found: Registered) -> Predictor:
    registry = model_registry(study)
    folder = package_in(registry.fetch(found.version, study.folder / "cache"))
    return Predictor.load(folder, digest=found.version.package)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_registered_says_what_its_evaluation_said(
    model: str, ladder: Evaluated
) -> None:
    study = ladder.study
    found = models_register.run(study, rung=f"all by {model}")
    assert found.replay <= 1e-12
    assert found.package.lineage.replay == found.replay
    predictor = opened(study, found)
    snapshot = study_snapshot(study, read_cohort(study))
    kept = risks_of(study.store_folder)
    said = dict(zip(kept.patients, kept.rung(f"all by {model}").risk[0], strict=True))
    for fold in ladder.found.split.folds:
        table = stored_inputs(predictor.package, snapshot, fold.held_out)
        for answer in predictor.predict(table, Asked(members=True)):
            assert isinstance(answer, Prediction)
            patient = answer.case_id.replace("HN-", "P")
            assert answer.members[fold.name] == pytest.approx(said[patient], abs=1e-6)


def test_a_version_carries_where_it_comes_from(ladder: Evaluated) -> None:
    study, run = ladder.study, ladder.found
    found = models_register.run(study, rung="clinical + size")
    lineage = found.package.lineage
    assert (lineage.run, lineage.split_hash) == (run.run, run.split.hash)
    assert lineage.dataset_digest == run.dataset.digest
    assert lineage.environment["python"]
    assert lineage.settings["split.folds"] == "2"
    assert (found.version.run, found.version.rung) == (run.run, "clinical + size")
    assert (found.version.kind, found.package.kind) == ("members", "members")
    assert found.name == "which-modality-helps"
    assert model_registry(study).version(str(found.version.number)) == found.version
    thresholds = [member.threshold for member in found.package.members]
    assert found.package.threshold == pytest.approx(np.median(thresholds))
    assert found.package.reference.patients == 90


def test_nothing_registered_is_a_pickle_or_names_a_folder_or_a_patient(
    ladder: Evaluated,
) -> None:
    study = ladder.study
    found = models_register.run(study, rung="clinical + size")
    folder = model_registry(study).fetch(found.version, study.folder / "cache")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        *("MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "served_model.py"),
        *("files.json", "package.json", "card.json", "card.md"),
        *("members.json", "members.safetensors"),
    }
    patients = {f"HN-{n:03d}" for n in range(90)} | {f"P{n:03d}" for n in range(90)}
    for path in files:
        content = path.read_bytes()
        assert str(Path.home()).encode() + b"/" not in content
        assert str(study.folder).encode() not in content
        assert str(Path(models_register.__file__).parents[2]).encode() not in content
        assert b"/tmp/" not in content
        assert not [patient for patient in patients if patient.encode() in content], path.name
    written = [study.folder / f"mlflow.db{end}" for end in ("", "-wal")]
    database = b"".join(file.read_bytes() for file in written if file.exists())
    assert b"which-modality-helps" in database
    assert str(study.folder).encode() not in database
    assert not [patient for patient in patients if patient.encode() in database]


def test_the_key_of_the_training_ids_stays_with_the_patients(ladder: Evaluated) -> None:
    study = ladder.study
    found = models_register.run(study, rung="size")
    key = key_file(study).read_bytes()
    assert found.package.training.holds("HN-007", key)
    assert found.package.training.holds("P007", key)
    assert not found.package.training.holds("HN-999", key)
    folder = model_registry(study).fetch(found.version, study.folder / "cache")
    assert not list(folder.rglob("*.key"))


def test_every_figure_of_the_card_is_that_of_the_run(ladder: Evaluated) -> None:
    found = models_register.run(ladder.study, rung="all by logistic")
    scores = next(s for s in ladder.found.scores if s.out_of_fold.rung.name == "all by logistic")
    logged = {metric.name: metric.value for metric in metrics_of(scores.measures)}
    named = [figure for figure in found.card.figures if figure.logged_as]
    assert {figure.logged_as for figure in named} >= {"auc", "calibration_slope", "delta_auc"}
    for figure in named:
        if isinstance(figure.value, Estimate):
            assert round(figure.value.value, 4) == logged[figure.logged_as]
    facts = {fact.name: fact.text for fact in found.card.facts}
    assert facts["intended use"] == ""
    said = {item.name.partition(" ")[0]: item.text for item in found.card.tripod}
    assert len(said) == 52
    assert said["20a"].startswith("flow with one reason for each case left out")
    assert said["17"] == ""
    assert "The members were measured; their mean was not" in found.card.unmeasured


def test_what_authors_state_after_the_evaluation_stands_in_card_and_report(
    study: Study, tmp_path: Path
) -> None:
    ethics = "Approved by committee A, no. 3."
    with study.file.open("a", encoding="utf-8") as file:
        file.write(f'\n[tripod]\n17 = "{ethics}"\n')
    told = load_study(study.file, environ={})
    found = models_register.run(told, rung="size")
    assert {fact.name: fact.text for fact in found.card.facts}["ethics approval"] == ethics
    page = report.run(told, tmp_path / "report.html")
    assert ethics in page.read_text(encoding="utf-8")


def test_a_refit_learns_from_everybody_and_says_that_nobody_measured_it(
    ladder: Evaluated,
) -> None:
    found = models_register.run(ladder.study, rung="clinical + size", refit=True)
    assert (found.version.kind, found.package.lineage.replay) == ("refit", None)
    assert found.replay <= 1e-12  # the members behind the figures were fitted again all the same
    assert len(found.package.members) == 2
    assert "no figure is its own" in found.card.unmeasured
    predictor = opened(ladder.study, found)
    (fold, _) = folds_of(ladder.found.dataset, ladder.found.split)
    columns = predictor.package.encoded
    rows = fold.held_out.of_columns([fold.held_out.columns.index(c) for c in columns])
    # The first model was calibrated by the first fold's held-out patients.
    mean = predictor.opened.models[0].risk(rows).mean()
    assert mean == pytest.approx(rows.outcome.mean(), abs=1e-6)


def test_risks_that_cannot_be_repeated_are_not_registered(study: Study) -> None:
    kept = risks_of(study.store_folder)
    rungs = [
        replace(rung, risk=((rung.risk[0][0] + 1e-9, *rung.risk[0][1:]),)) for rung in kept.rungs
    ]
    at = model_registry(study)
    keep_risks(replace(kept, rungs=tuple(rungs)), study.store_folder, at=datetime.now(UTC))
    with pytest.raises(ReplayError, match=r"'size' fitted again differs .* by 1\.0e-09") as caught:
        models_register.run(study, rung="size")
    assert caught.value.exit_code == 6
    assert at.versions() == model_registry(study).versions()


def test_a_run_of_other_features_or_folds_is_not_registered(study: Study) -> None:
    changed = study.model_copy(update={"split": replace(study.split, seed=1)})
    changed = changed.located(study.folder / "study.toml", environ={}, origins={})
    with pytest.raises(InvalidDataError, match="split are no longer those of run"):
        models_register.run(changed, rung="size")


def test_a_rung_or_a_run_that_is_not_there_is_named(ladder: Evaluated) -> None:
    with pytest.raises(UsageError, match="has no rung 'all'"):
        models_register.run(ladder.study, rung="all")
    with pytest.raises(UsageError, match="no run 'zzz'"):
        models_register.run(ladder.study, asked="zzz")


def test_a_run_that_others_cannot_look_at_is_not_registered(study: Study) -> None:
    kept = replace(risks_of(study.store_folder), run="f" * 32)
    keep_risks(kept, study.store_folder, at=datetime.now(UTC))
    folder = study.store_folder / "evaluations"
    (newest,) = folder.glob("*.json")
    newest.rename(folder / f"{newest.name.partition('-')[0]}-ffffffff.json")
    assert findings_of(study.store_folder, "f" * 32)
    with pytest.raises(UsageError, match="run ffffffff is not in MLflow"):
        models_register.run(study, rung="size")
