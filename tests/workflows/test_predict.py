"""The same risk whoever asks: from the store, from a table, shuffled or not."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from feature_store.snapshot import Snapshot
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.estimate import Estimate
from hnmets.registry.prediction import FlagCode
from hnmets.registry.predictor import Asked
from hnmets.workflows import models_register, predict
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_risks import risks_of
from hnmets.workflows.store_view import study_snapshot
from hnmets.workflows.study import Study
from tests.builders_models import Evaluated, evaluated

CANARY = "CANARY-7f3"
MODEL = "1"


@pytest.fixture(scope="module")
def ladder(
    tmp_path_factory: pytest.TempPathFactory, tracking_template: Path
) -> Iterator[Evaluated]:
    """Version 1 on all features."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("predicted") / "project"
        found = evaluated(folder, tracking_template)
        models_register.run(found.study)
        yield found


@pytest.fixture(scope="module")
def study(ladder: Evaluated) -> Study:
    return ladder.study


@pytest.fixture(scope="module")
def snapshot(study: Study) -> Snapshot:
    return study_snapshot(study, read_cohort(study))


def written(
    study: Study, snapshot: Snapshot, cases: list[str], *, order: int = 0
) -> list[list[str]]:
    """A header and lines with what the model has to be told, the columns in some order."""
    package = predict.open_version(study, MODEL).predictor.package
    table = stored_inputs(package, snapshot, cases)
    names = [str(n) for n in np.random.default_rng(order).permutation(list(table.columns))]
    lines = [
        [case, *(str(table.columns[name][row]) for name in names)]
        for row, case in enumerate(cases)
    ]
    return [["case_id", *names], *lines]


def saved(lines: list[list[str]], path: Path) -> Path:
    path.write_text("\n".join(",".join(line) for line in lines) + "\n")
    return path


def test_each_member_says_of_its_held_out_patients_what_was_evaluated(
    ladder: Evaluated, snapshot: Snapshot, tmp_path: Path
) -> None:
    study = ladder.study
    kept = risks_of(study.store_folder)
    said = dict(zip(kept.patients, kept.rung("all by logistic").risk[0], strict=True))
    for number, fold in enumerate(ladder.found.split.folds):
        path = saved(
            written(study, snapshot, list(fold.held_out), order=number), tmp_path / "t.csv"
        )
        found = predict.by_table(study, path, model=MODEL, asked=Asked(members=True))
        assert len(found.predictions) == 45
        for answer in found.predictions:
            expected = said[answer.case_id.replace("HN-", "P")]
            assert answer.members[fold.name] == pytest.approx(expected, abs=1e-6)


def test_store_and_table_say_the_same(study: Study, snapshot: Snapshot, tmp_path: Path) -> None:
    cases = ["HN-003", "HN-001", "HN-044"]
    stored = predict.by_cases(study, cases, model=MODEL)
    for order in range(3):
        path = saved(written(study, snapshot, cases, order=order), tmp_path / f"{order}.csv")
        told = predict.by_table(study, path, model=MODEL)
        assert [a.case_id for a in told.predictions] == cases
        np.testing.assert_allclose(
            [a.risk for a in told.predictions], [a.risk for a in stored.predictions], atol=1e-12
        )
        assert [a.flags for a in told.predictions] == [a.flags for a in stored.predictions]


def test_all_cases_are_predicted_where_none_is_named(study: Study) -> None:
    found = predict.by_cases(study, (), model=MODEL)
    assert len(found.predictions) == 90
    document = json.loads(json.dumps(found.as_json()))
    assert document["research_use_only"] is True
    assert document["predicts"] == "distant metastasis"
    first = document["predictions"][0]
    assert 0 <= first["lowest"] <= first["risk"] <= first["highest"] <= 1
    assert first["positive"] == (first["risk"] >= first["threshold"])


def test_patients_of_the_training_are_named_and_strangers_are_not(
    study: Study, snapshot: Snapshot, tmp_path: Path
) -> None:
    lines = written(study, snapshot, ["HN-001"])
    lines.append(["NEW-1", *lines[1][1:]])
    found = predict.by_table(study, saved(lines, tmp_path / "t.csv"), model=MODEL)
    codes = [{flag.code for flag in each.flags} for each in found.predictions]
    assert FlagCode.TRAINED_ON in codes[0]
    assert FlagCode.TRAINED_ON not in codes[1]


def test_a_value_of_a_wrong_kind_is_named_with_its_row_and_case(
    study: Study, snapshot: Snapshot, tmp_path: Path
) -> None:
    lines = written(study, snapshot, ["HN-001", "HN-002"])
    lines[2][lines[0].index("clinical.age")] = "sixty"
    # As `cohort check` and a spreadsheet count: the header is row 1.
    why = r"t\.csv, row 3, case HN-002: 'clinical\.age' is 'sixty', which is no number"
    with pytest.raises(InvalidDataError, match=why) as caught:
        predict.by_table(study, saved(lines, tmp_path / "t.csv"), model=MODEL)
    assert "empty it" in caught.value.__notes__[0]
    nameless = [line[1:] for line in lines]
    with pytest.raises(InvalidDataError, match=r"t\.csv, row 3: 'clinical\.age' is 'sixty'"):
        predict.by_table(study, saved(nameless, tmp_path / "t.csv"), model=MODEL)


def test_a_patient_without_a_feature_set_is_refused_and_the_others_are_not(
    study: Study, snapshot: Snapshot, tmp_path: Path
) -> None:
    lines = written(study, snapshot, ["HN-001", "HN-002"])
    for place, name in enumerate(lines[0]):
        if name.startswith("radiomics"):
            lines[1][place] = ""
    found = predict.by_table(study, saved(lines, tmp_path / "t.csv"), model=MODEL)
    assert [each.case_id for each in found.refused] == ["HN-001"]
    assert "radiomics.tumour" in found.refused[0].reason
    assert [each.case_id for each in found.predictions] == ["HN-002"]


def test_tables_that_cannot_be_meant_are_refused(
    study: Study, snapshot: Snapshot, tmp_path: Path
) -> None:
    twice = written(study, snapshot, ["HN-001"])
    with pytest.raises(InvalidDataError, match="case HN-001 stands twice"):
        predict.by_table(study, saved([*twice, twice[1]], tmp_path / "a.csv"), model=MODEL)
    with pytest.raises(InvalidDataError, match="no column of the model") as caught:
        predict.by_table(study, saved([["age"], ["60"]], tmp_path / "b.csv"), model=MODEL)
    assert "hnmets models show" in caught.value.__notes__[0]
    half = [line[:2] for line in twice]
    with pytest.raises(InvalidDataError, match="is not among the columns"):
        predict.by_table(study, saved(half, tmp_path / "c.csv"), model=MODEL)


def test_unknown_versions_and_cases_are_named(study: Study) -> None:
    with pytest.raises(UsageError, match="has no version 'champion'") as caught:
        predict.by_cases(study, ())
    assert caught.value.__notes__ == ["There are 1, challenger."]
    with pytest.raises(UsageError, match="the store has nothing of case HN-999"):
        predict.by_cases(study, ["HN-999"], model=MODEL)


def test_features_of_another_recipe_are_other_values(study: Study, snapshot: Snapshot) -> None:
    package = predict.open_version(study, MODEL).predictor.package
    others = {f for f, t in snapshot.tables.items() if t.recipe.name != "size.tumour"}
    with pytest.raises(InvalidDataError, match=r"fitted on size\.tumour@.*the store has nothing"):
        stored_inputs(package, snapshot.among(snapshot.case_ids, others), ["HN-001"])


def test_each_patient_has_a_page_that_says_what_the_risk_is_not(
    study: Study, snapshot: Snapshot, tmp_path: Path
) -> None:
    lines = written(study, snapshot, ["HN-001"])
    lines.append(["A/<b>1", *lines[1][1:]])
    asked = Asked(contributions=2)
    found = predict.by_table(study, saved(lines, tmp_path / "t.csv"), model=MODEL, asked=asked)
    pages = predict.write_pages(found, tmp_path / "pages", on=date(2026, 5, 4))
    assert [page.name for page in pages] == ["HN-001.html", "A%2F%3Cb%3E1.html"]
    first, second = (page.read_text() for page in pages)
    assert f'<data value="{found.predictions[0].risk!r}">' in first
    assert "it is no confidence interval" in first
    assert "the model has learned from this patient" in first
    contributions = first.partition('id="contributions"')[2].partition("</section>")[0]
    assert contributions.count('<tr><th scope="row">') == 2
    figures = predict.open_version(study, MODEL).predictor.opened.card.figures
    assert figures
    for figure in figures:
        assert f'<tr><th scope="row">{figure.name}</th><td>' in first
        if isinstance(figure.value, Estimate):
            assert f'<data value="{figure.value.value!r}">' in first
    assert "The members were measured; their mean was not" in first
    assert "Research use only" in first
    assert "2026-05-04" in first
    # What comes from a table is text, and stays text.
    assert "<b>1" not in second
    assert "&lt;b&gt;1" in second
    assert "http" not in first.replace("http-equiv", "")
