"""A rung whose backbone was trained fold by fold: its members answer, each by its own network."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hnmets.datasets.provenance import patient_digest
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.execution.local import InProcess
from hnmets.registry.prediction import Prediction
from hnmets.registry.predictor import Asked, Predictor
from hnmets.registry.versions import package_in
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.opening import open_tracker
from hnmets.workflows import (
    ablate,
    external_validation,
    features_build,
    features_export,
    models_register,
    predict,
    train_backbone,
)
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.fold_networks import backbone_folder
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_risks import risks_of
from hnmets.workflows.ladder import Choice
from hnmets.workflows.model_versions import model_registry
from hnmets.workflows.models_register import Registered
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study
from hnmets.workflows.study_sections import View
from tests.builders_backbones import CNN, FOLDS, TABLES_AND_CROPS, build, settings, train
from tests.builders_canary import contents
from tests.builders_cohorts import raw_case, write_cohort
from tests.builders_packages import flip_last_bit

pytestmark = pytest.mark.slow

VIEW = View(name="deep", features=("clinical", "size", "trained.cnn"), model="logistic")


@pytest.fixture(scope="module")
def registered(
    tmp_path_factory: pytest.TempPathFactory, tracking_template: Path
) -> Iterator[tuple[Study, Registered]]:
    """Forty synthetic patients, two folds with a network each; version 1 sees by both."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("trained") / "project"
        shutil.copytree(tracking_template, folder)
        made = write_cohort(folder, SyntheticCohort(cases=40, seed=3, scale=0.25))
        study = settings(made, evaluation__draws=100)
        features_build.run(study, TABLES_AND_CROPS, executor=InProcess())
        with open_tracker(study.folder) as tracker:
            train_backbone.run(study, CNN, tracker=tracker)
            features_build.run(study, TABLES_AND_CROPS, executor=InProcess())
            ablate.run(study, choice=Choice(views=(VIEW,), only=(VIEW.name,)), tracker=tracker)
        yield study, models_register.run(study)


def test_its_members_say_what_was_evaluated(registered: tuple[Study, Registered]) -> None:
    study, found = registered
    assert found.replay <= 1e-12
    own = {member.name: member.networks["trained.cnn"] for member in found.package.members}
    assert set(own) == {*FOLDS}
    assert len(set(own.values())) == 2
    kept = risks_of(study.store_folder)
    said = dict(zip(kept.patients, kept.rung(VIEW.name).risk[0], strict=True))
    answers = predict.by_cases(study, (), model="1", asked=Asked(members=True)).predictions
    assert len(answers) == 40
    patient_of = {case.case_id: case.patient_id for case in read_cohort(study).cases}
    for answer in answers:
        of_patient = said[patient_of[answer.case_id]]
        assert any(risk == pytest.approx(of_patient, abs=1e-9) for risk in answer.members.values())


def test_each_member_sees_by_its_own_network_alone(registered: tuple[Study, Registered]) -> None:
    study, found = registered
    registry = model_registry(study)
    folder = package_in(registry.fetch(found.version, study.folder / "cache"))
    predictor = Predictor.load(folder, digest=found.version.package)
    first, second = (m.networks["trained.cnn"] for m in found.package.members)
    snapshot = study_snapshot(study, read_cohort(study))
    told = stored_inputs(predictor.package, snapshot, ["SYN-0001"])
    risks = {}
    for label in ("", first, second):
        seen = [name for name in told.columns if label and name.startswith(f"{label}.")]
        table = replace(told, columns={**told.columns, **{name: [1.0] for name in seen}})
        (answer,) = predictor.predict(table, Asked(members=True))
        assert isinstance(answer, Prediction)
        risks[label] = list(answer.members.values())
    assert risks[first][0] != risks[""][0]
    assert risks[first][1] == risks[""][1]
    assert risks[second][0] == risks[""][0]
    assert risks[second][1] != risks[""][1]


def test_an_exported_table_gets_the_same_risks(
    registered: tuple[Study, Registered], tmp_path: Path
) -> None:
    # Registering has loaded it, without its warnings.
    from mlflow.pyfunc import load_model

    study, found = registered
    told = features_export.run(study, (), tmp_path, "csv")
    asked = Asked(members=True)
    wanted = predict.by_cases(study, (), model="1", asked=asked).predictions
    answers = predict.by_table(study, told, model="1", asked=asked).predictions
    assert [answer.case_id for answer in answers] == [each.case_id for each in wanted]
    for answer, each in zip(answers, wanted, strict=True):
        # What is stored in 32 bits is written in as many digits as tell these apart.
        assert answer.members == pytest.approx(dict(each.members), abs=1e-6)
    folder = model_registry(study).fetch(found.version, study.folder / "cache")
    risks = load_model(str(folder)).predict(pd.read_csv(told))["risk"]
    assert risks.tolist() == pytest.approx([each.risk for each in wanted], abs=1e-6)


def test_what_all_networks_see_is_one_contribution(
    registered: tuple[Study, Registered],
) -> None:
    study, _ = registered
    asked = Asked(contributions=99)
    (answer,) = predict.by_cases(study, ["SYN-0001"], model="1", asked=asked).predictions
    names = [each.name for each in answer.contributions]
    assert names.count("trained.cnn") == 1
    assert not any("@" in name for name in names)


def test_a_ct_gets_the_risk_that_its_stored_features_get(
    registered: tuple[Study, Registered],
) -> None:
    study, _ = registered
    (wanted,) = predict.by_cases(study, ["SYN-0002"], model="1").predictions
    (answer,) = predict.by_image(study, raw_case(study, "SYN-0002"), model="1").predictions
    assert answer.risk == pytest.approx(wanted.risk, abs=1e-5)
    assert answer.flags == wanted.flags


def networks(study: Study) -> dict[str, bytes]:
    """The files of the trained backbones, by name."""
    folder = backbone_folder(study)
    return {path.name: path.read_bytes() for path in folder.rglob("*.safetensors")}


@pytest.fixture
def copy(registered: tuple[Study, Registered], tmp_path: Path) -> Study:
    """The same project, for whoever changes it."""
    study, _ = registered
    shutil.copytree(study.folder, tmp_path / "copy")
    return settings(tmp_path / "copy" / study.file.name, evaluation__draws=100)


def test_a_ct_gets_the_same_risk_after_the_backbone_was_trained_anew(copy: Study) -> None:
    (wanted,) = predict.by_cases(copy, ["SYN-0002"], model="1").predictions
    before = networks(copy)
    anew = settings(copy.file, evaluation__draws=100, backbone__seed=7)
    assert not train(anew).failed
    after = networks(copy)
    assert before.keys() == after.keys()
    assert all(after[name] != content for name, content in before.items())
    (answer,) = predict.by_image(anew, raw_case(copy, "SYN-0002"), model="1").predictions
    assert answer.risk == pytest.approx(wanted.risk, abs=1e-5)
    with pytest.raises(InvalidDataError, match=r"the model was fitted on trained\.cnn@") as caught:
        predict.by_cases(anew, ["SYN-0002"], model="1")
    assert "trained anew" in caught.value.__notes__[0]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Study:
    """Another hospital's patients, who trained nothing."""
    made = write_cohort(tmp_path / "elsewhere", SyntheticCohort(cases=16, seed=4, scale=0.25))
    return settings(made, evaluation__draws=100, study__name="elsewhere")


def test_patients_of_elsewhere_are_seen_by_the_networks_of_the_model(
    copy: Study, elsewhere: Study
) -> None:
    build(elsewhere)
    found = external_validation.run(
        copy, elsewhere, model="1", equal_ids="another seed", tracker=InMemoryTracker()
    )
    assert (found.predictions.n, found.refused) == (16, {})
    (answer,) = predict.by_image(copy, raw_case(elsewhere, "SYN-0002"), model="1").predictions
    (patient,) = {c.patient_id for c in read_cohort(elsewhere).cases if c.case_id == "SYN-0002"}
    place = found.predictions.patient_ids.index(patient)
    assert answer.risk == pytest.approx(found.predictions.risk[place], abs=1e-5)


def test_a_network_says_nothing_of_crops_that_it_was_not_trained_on(
    copy: Study, elsewhere: Study
) -> None:
    other = settings(elsewhere.file, embedding__spacing_mm=4.0)
    build(other)
    with pytest.raises(InvalidDataError, match=r"the model was fitted on trained\.cnn@"):
        external_validation.run(copy, other, model="1")


def test_a_ct_is_refused_where_a_network_is_gone(copy: Study) -> None:
    kept = sorted((copy.store_folder / "registry" / "networks").iterdir())
    assert len(kept) == len(FOLDS)
    kept[0].unlink()
    with pytest.raises(InvalidDataError, match=rf"the model was fitted on {kept[0].stem};"):
        predict.by_image(copy, raw_case(copy, "SYN-0002"), model="1")


def test_a_ct_is_refused_where_a_network_was_changed(copy: Study) -> None:
    kept = sorted((copy.store_folder / "registry" / "networks").iterdir())
    flip_last_bit(kept[0])
    with pytest.raises(InvalidDataError, match=rf"the model was fitted on {kept[0].stem};"):
        predict.by_image(copy, raw_case(copy, "SYN-0002"), model="1")


def test_what_mlflow_shows_tells_of_no_patient_that_a_network_knows(
    registered: tuple[Study, Registered],
) -> None:
    study, found = registered
    digests = {patient_digest(case.patient_id) for case in read_cohort(study).cases}
    network = next((study.store_folder / "registry" / "networks").iterdir()).read_bytes()
    # Half of a training part stops the training: 40 / 2 / 2 patients.
    assert sum(digest.encode() in network for digest in digests) == 10
    shown = [
        raw for name, raw in contents(study.folder) if name.startswith(("mlflow.db", "mlruns/"))
    ]
    assert any(found.version.package.encode() in raw for raw in shown)
    assert any(b"training cnn repeat 1 fold 2" in raw for raw in shown)
    assert not [digest for digest in digests for raw in shown if digest.encode() in raw]


def test_a_refit_is_refused_since_no_network_knows_everybody(
    registered: tuple[Study, Registered],
) -> None:
    study, _ = registered
    with pytest.raises(UsageError, match=r"'deep' sees trained\.cnn, a network of every fold"):
        models_register.run(study, refit=True)
