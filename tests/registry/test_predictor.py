"""One answer for whoever asks, with what a reader has to know beside the risk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hnmets.models.recalibration import log_odds_of
from hnmets.registry.inputs import InputTable
from hnmets.registry.package import OpenPackage
from hnmets.registry.prediction import Answer, Flag, FlagCode, Prediction, Refused
from hnmets.registry.predictor import Asked, Predictor
from tests.builders_packages import (
    KEY,
    card,
    held_out,
    models,
    package,
    rows,
    table_of,
    written_package,
)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    members = models(rows())
    opened = OpenPackage(package=package(rows(), members), card=card(), models=members, digest="d")
    return Predictor(opened=opened, key=KEY)


def tolerant(predictor: Predictor) -> Predictor:
    kept = replace(predictor.opened.package, policy="modality-missing")
    return Predictor(opened=replace(predictor.opened, package=kept), key=KEY)


def predictions(answers: tuple[Answer, ...]) -> list[Prediction]:
    assert all(isinstance(each, Prediction) for each in answers)
    return [each for each in answers if isinstance(each, Prediction)]


def flags(answer: Answer) -> dict[FlagCode, Flag]:
    assert isinstance(answer, Prediction)
    return {flag.code: flag for flag in answer.flags}


def changed(table: InputTable, **columns: object) -> InputTable:
    new = {name.replace("__", "."): value for name, value in columns.items()}
    return replace(table, columns={**table.columns, **new})


def test_the_risk_is_the_mean_of_the_members_and_the_spread_theirs(predictor: Predictor) -> None:
    of = held_out()
    answers = predictions(predictor.predict(table_of(of, range(30)), Asked(members=True)))
    members = models(rows())
    seen = of.of_columns([of.columns.index(name) for name in members[0].view.columns])
    risks = np.array([member.risk(seen) for member in members])
    np.testing.assert_allclose([a.risk for a in answers], risks.mean(axis=0), atol=1e-15)
    np.testing.assert_allclose([a.spread for a in answers], abs(risks[0] - risks[1]) / 2)
    np.testing.assert_array_equal([a.lowest for a in answers], risks.min(axis=0))
    np.testing.assert_array_equal([a.highest for a in answers], risks.max(axis=0))
    assert [a.positive for a in answers] == (risks.mean(axis=0) >= 0.4).tolist()
    assert answers[4].members == {
        "repeat 1 fold 1": risks[0, 4],
        "repeat 1 fold 2": risks[1, 4],
    }
    assert [a.case_id for a in answers] == list(of.case_ids)


def test_an_answer_is_one_patients_whoever_else_is_asked_about(predictor: Predictor) -> None:
    of = held_out()
    together = predictions(predictor.predict(table_of(of, range(30))))
    alone = [predictor.predict(table_of(of, [place]))[0] for place in range(30)]
    for one, other in zip(predictions(tuple(alone)), together, strict=True):
        assert one.risk == pytest.approx(other.risk, abs=1e-12)
        assert one.flags == other.flags


def test_a_patient_of_the_training_is_named_as_one(predictor: Predictor) -> None:
    (known,) = predictor.predict(table_of(rows(), [7]))
    (stranger,) = predictor.predict(table_of(held_out(), [7]))
    assert FlagCode.TRAINED_ON in flags(known)
    assert FlagCode.TRAINED_ON not in flags(stranger)
    assert FlagCode.TRAINED_ON_UNKNOWN not in flags(stranger)


@pytest.mark.parametrize("key", [None, b"x" * 32], ids=["no key", "another study's key"])
def test_without_the_key_nobody_can_tell_who_was_in_training(
    key: bytes | None, predictor: Predictor
) -> None:
    (known,) = replace(predictor, key=key).predict(table_of(rows(), [7]))
    assert flags(known).keys() & {FlagCode.TRAINED_ON, FlagCode.TRAINED_ON_UNKNOWN} == {
        FlagCode.TRAINED_ON_UNKNOWN
    }


def test_a_value_far_from_all_training_patients_is_named_and_not_shown(
    predictor: Predictor,
) -> None:
    table = table_of(held_out(), [0])
    (usual,) = predictor.predict(table)
    (odd,) = predictor.predict(changed(table, size__tumour__volume_ml=[912345.0]))
    assert FlagCode.FAR not in flags(usual)
    assert flags(odd)[FlagCode.FAR].text == "size.tumour.volume_ml"
    assert "912345" not in str(odd)


def test_a_patient_with_every_value_at_the_edge_is_unusual_as_a_whole(
    predictor: Predictor,
) -> None:
    edge = {"clinical__age": [80.0], "size__tumour__volume_ml": [47.0]}
    table = changed(table_of(held_out(), [0]), **edge, size__tumour__diameter_mm=[52.0])
    (odd,) = predictor.predict(table)
    assert flags(odd).keys() & {FlagCode.FAR, FlagCode.UNUSUAL} == {FlagCode.UNUSUAL}


def test_a_single_value_that_is_not_known_is_counted(predictor: Predictor) -> None:
    table = changed(table_of(held_out(), [0]), clinical__age=[None])
    (answer,) = predictor.predict(table)
    assert flags(answer)[FlagCode.IMPUTED].text == "1 of 2 values of clinical are not known"


def test_a_feature_set_that_is_absent_is_refused_or_flagged_as_the_model_declares(
    predictor: Predictor,
) -> None:
    table = changed(
        table_of(held_out(), [0, 1]),
        size__tumour__volume_ml=[None, 20.0],
        size__tumour__diameter_mm=[None, 40.0],
    )
    strict = predictor.predict(table)
    assert isinstance(strict[0], Refused)
    assert strict[0].reason.startswith("without size.tumour: ")
    (alone,) = predictions(strict[1:])
    lenient = tolerant(predictor).predict(table)
    assert "lower confidence" in flags(lenient[0])[FlagCode.MODALITY_ABSENT].text
    assert FlagCode.MODALITY_ABSENT not in flags(lenient[1])
    assert predictions(lenient)[1].risk == pytest.approx(alone.risk, abs=1e-12)


def test_a_patient_of_whom_nothing_is_known_has_no_risk(predictor: Predictor) -> None:
    nobody = InputTable(case_ids=("A",), columns={})
    for model in (predictor, tolerant(predictor)):
        (answer,) = model.predict(nobody)
        assert isinstance(answer, Refused)


def test_a_contribution_is_what_the_training_mean_in_its_place_changes(
    predictor: Predictor,
) -> None:
    of = held_out()
    (answer,) = predictions(predictor.predict(table_of(of, [0]), Asked(contributions=10)))
    names = [each.name for each in answer.contributions]
    assert set(names) == {
        *("clinical.age", "clinical.sex"),
        *("size.tumour.volume_ml", "size.tumour.diameter_mm"),
    }
    assert names[0] == "size.tumour.volume_ml"  # it is what tells the event
    mean = float(rows().values[:, 4].mean())
    (average,) = predictions(
        predictor.predict(changed(table_of(of, [0]), size__tumour__volume_ml=[mean]))
    )
    expected = log_odds_of(np.array([answer.risk])) - log_odds_of(np.array([average.risk]))
    assert answer.contributions[0].log_odds == pytest.approx(expected[0], abs=1e-12)


def test_a_refit_says_that_nobody_has_measured_it(predictor: Predictor) -> None:
    refit = replace(predictor.opened.package, kind="refit")
    model = Predictor(opened=replace(predictor.opened, package=refit), key=KEY)
    (answer,) = model.predict(table_of(held_out(), [0]))
    assert FlagCode.UNMEASURED in flags(answer)


def test_a_package_on_disk_answers_as_the_one_in_memory(
    predictor: Predictor, tmp_path: Path
) -> None:
    folder, digest = written_package(tmp_path)
    read = Predictor.load(folder, digest=digest, key=KEY)
    table = table_of(held_out(), range(30))
    assert read.predict(table) == predictor.predict(table)
