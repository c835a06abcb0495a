"""Explanations in the store: the newest of a case, shown with the ladder that it belongs to."""

from dataclasses import replace
from pathlib import Path

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.explained_json import from_json, to_json
from hnmets.reporting.findings import Findings
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, explain, report
from hnmets.workflows.kept_explanations import explanations_of, keep_explanation
from hnmets.workflows.study import Study
from tests.builders_cohorts import study_of
from tests.builders_explained import explained_case
from tests.builders_findings import SPLIT, findings, simulated
from tests.builders_ladders import every_modality

CASE = explained_case("CASE/1", rung="fused", split_hash=SPLIT, dataset_digest="d" * 64)


@pytest.fixture(scope="module")
def told() -> Findings:
    """A ladder whose headline is that of the explanation above."""
    few = replace(findings(simulated(15, events=5)), explained=())
    lineage = replace(few.lineage, dataset_digest=CASE.dataset_digest)
    return replace(few, lineage=lineage)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return every_modality(tmp_path_factory.mktemp("kept"))


def test_json_gives_back_what_it_was_given() -> None:
    assert from_json(to_json(CASE)) == CASE
    assert to_json(from_json(to_json(CASE))) == to_json(CASE)


def test_a_newer_explanation_takes_the_place_of_the_older(told: Findings, tmp_path: Path) -> None:
    mine = replace(CASE, rung=told.headline)
    keep_explanation(mine, tmp_path)
    newer = replace(mine, risk=0.25)
    path = keep_explanation(newer, tmp_path)
    assert path.name == "CASE%2F1-9f9f9f9f.json"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert explanations_of(told, tmp_path) == (newer,)


def test_explanations_of_another_model_are_not_shown(told: Findings, tmp_path: Path) -> None:
    mine = replace(CASE, rung=told.headline)
    for number, other in enumerate(
        ({"rung": "volume"}, {"split_hash": "9f" * 31 + "00"}, {"dataset_digest": "0" * 64})
    ):
        keep_explanation(replace(mine, case_id=f"other {number}", **other), tmp_path)
    for case_id in ("b", "a"):
        keep_explanation(replace(mine, case_id=case_id), tmp_path)
    assert [each.case_id for each in explanations_of(told, tmp_path)] == ["a", "b"]


def test_a_damaged_file_of_the_split_is_named(told: Findings, tmp_path: Path) -> None:
    path = keep_explanation(CASE, tmp_path)
    path.write_text(path.read_text()[:100])
    with pytest.raises(InvalidDataError, match="no explanation of format 1") as caught:
        explanations_of(told, tmp_path)
    assert "explanations/CASE%2F1-9f9f9f9f.json" in caught.value.__notes__[-1]
    path.rename(path.with_name("CASE-00000000.json"))
    assert explanations_of(told, tmp_path) == ()


def test_the_report_that_leaves_the_site_names_no_case_and_no_patient(
    study: Study, tmp_path: Path
) -> None:
    ladder = ablate.run(study, tracker=InMemoryTracker())
    found = explain.run(study, "HN-003", tmp_path / "explained")
    page = report.run(study, tmp_path / "report.html", asked=ladder.run).read_text()
    assert f'<h3>HN-003: risk <data value="{found.risk!r}">' in page
    assert "not shown: no backbone was trained in this fold" in page
    rows = ladder.dataset.rows
    named = [name for name in (*rows.case_ids, *rows.patient_ids) if name in page]
    assert len(named) > 1  # the worst misses, and who was explained
    leaving = report.run(study, tmp_path / "leaving.html", asked=ladder.run, cases=False)
    text = leaving.read_text()
    assert [name for name in (*rows.case_ids, *rows.patient_ids) if name in text] == []
    assert text.count("left out: this report names no case") == 2
    assert "No risk of this run was explained" not in text


def test_an_explanation_of_other_folds_stays_out_of_the_report(
    study: Study, tmp_path: Path
) -> None:
    explain.run(study, "HN-003", tmp_path / "explained")
    other = study_of(study.folder / "study.toml", split__seed=1)
    ladder = ablate.run(other, tracker=InMemoryTracker())
    page = report.run(other, tmp_path / "report.html", asked=ladder.run).read_text()
    assert "<h3>HN-003" not in page
    assert "hnmets explain --case CASE" in page
