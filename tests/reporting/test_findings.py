import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any  # JSON

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate
from hnmets.reporting.findings import Findings
from hnmets.reporting.findings_json import from_json, to_json
from hnmets.reporting.rung import AbsentRung, Stage
from tests.builders_findings import without


def test_json_gives_back_what_it_was_given(full: Findings) -> None:
    assert from_json(to_json(full)) == full


def test_what_is_not_estimable_survives_json_with_its_reason(few: Findings) -> None:
    again = from_json(to_json(few))
    assert again == few
    assert again.subgroups[0].why_not.startswith("not estimable")


def test_equal_findings_give_equal_text(full: Findings) -> None:
    assert to_json(from_json(to_json(full))) == to_json(full)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(format=2), "format: Input should be 1"),
        (lambda content: content["findings"].update(mood="good"), "mood: "),
        (lambda content: content["findings"].pop("headline"), "headline: "),
        (lambda content: content["findings"]["rungs"][0].update(n="320"), "n: "),
        (lambda content: content["findings"]["flow"].update(read=1), "1 cases read"),
    ],
)
def test_a_document_of_another_make_is_refused(
    full: Findings, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    content = json.loads(to_json(full))
    change(content)
    with pytest.raises(InvalidDataError, match=message):
        from_json(json.dumps(content))


def test_half_a_file_is_refused(full: Findings) -> None:
    text = to_json(full)
    with pytest.raises(InvalidDataError, match="no findings of format 1") as caught:
        from_json(text[: len(text) // 2])
    assert "hnmets" in caught.value.__notes__[0]


def test_a_number_that_is_none_is_not_written(full: Findings) -> None:
    broken = replace(full.main, prevalence=float("nan"))
    rungs = tuple(broken if rung is full.main else rung for rung in full.rungs)
    with pytest.raises(InvalidDataError, match="prevalence: Input should be a finite number"):
        to_json(replace(full, rungs=rungs))


@pytest.mark.parametrize("stage", [Stage.SIZE, Stage.CLINICAL, Stage.CLINICAL_SIZE, Stage.DEEP])
def test_a_report_without_a_rung_of_the_ladder_is_refused(full: Findings, stage: Stage) -> None:
    rungs = tuple(
        replace(rung, stage=Stage.ABLATION) if rung.stage is stage else rung for rung in full.rungs
    )
    with pytest.raises(InvalidDataError, match=f"the ladder lacks '{stage}'".replace("+", r"\+")):
        replace(full, rungs=rungs)


def test_a_rung_that_could_not_run_stands_there_with_its_reason(full: Findings) -> None:
    assert without(full, Stage.DEEP).absent[0].reason == "the store holds no features for it"


def test_a_rung_is_not_absent_and_run(full: Findings) -> None:
    with pytest.raises(InvalidDataError, match="'deep' was run and is said to be absent"):
        replace(full, absent=(AbsentRung(stage=Stage.DEEP, reason="no"),))


def test_rungs_of_another_split_are_not_compared(full: Findings) -> None:
    other = replace(full.rungs[0], split_hash="00" * 32)
    with pytest.raises(InvalidDataError, match="'volume' was scored on another split"):
        replace(full, rungs=(other, *full.rungs[1:]))


def test_rungs_of_other_patients_are_not_compared(full: Findings) -> None:
    other = replace(full.rungs[1], n=full.rungs[1].n - 1)
    with pytest.raises(InvalidDataError, match="'clinical' was scored on other patients"):
        replace(full, rungs=(full.rungs[0], other, *full.rungs[2:]))


def test_names_point_somewhere(full: Findings) -> None:
    with pytest.raises(InvalidDataError, match="no rung is called 'magic'"):
        replace(full, headline="magic")
    with pytest.raises(InvalidDataError, match="the report has no rung 'magic'; it has: volume"):
        full.rung("magic")


def test_two_rungs_have_two_names(full: Findings) -> None:
    twin = replace(full.rungs[1], name=full.rungs[0].name)
    with pytest.raises(InvalidDataError, match="two rungs have one name"):
        replace(full, rungs=(full.rungs[0], twin, *full.rungs[2:]))


def test_a_path_of_this_machine_is_refused_wherever_it_stands(full: Findings) -> None:
    lineage = replace(full.lineage, environment={"python": "/opt/venv/bin/python3"})
    with pytest.raises(InvalidDataError, match=r"lineage\.environment\.python holds an absolute"):
        replace(full, lineage=lineage)


def test_a_statement_belongs_to_an_item_of_tripod(full: Findings) -> None:
    with pytest.raises(InvalidDataError, match="TRIPOD\\+AI has no item '28'"):
        replace(full, statements={"28": "yes"})


def test_a_rung_above_its_oracle_by_more_than_its_interval_is_named(full: Findings) -> None:
    assert full.above_oracle == ()
    auc = full.main.auc
    assert isinstance(auc, Estimate)
    leak = replace(full.main, oracle_auc=auc.low - 0.001)
    rungs = tuple(leak if rung is full.main else rung for rung in full.rungs)
    assert replace(full, rungs=rungs).above_oracle == (leak,)


def test_a_figure_shows_the_headline_first_and_the_baseline_second(full: Findings) -> None:
    stages = [rung.stage for rung in full.highlighted]
    assert stages == [Stage.FUSION, Stage.CLINICAL_SIZE, Stage.RADIOMICS, Stage.DEEP]


def test_a_headline_that_is_the_baseline_is_shown_once(full: Findings) -> None:
    other = replace(full, headline="clinical + volume", explained=())
    stages = [rung.stage for rung in other.highlighted]
    assert stages == [Stage.CLINICAL_SIZE, Stage.RADIOMICS, Stage.DEEP]
