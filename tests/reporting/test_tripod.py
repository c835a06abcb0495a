from dataclasses import replace

from hnmets.reporting.findings import Findings
from hnmets.reporting.tripod import tripod_lines
from hnmets.reporting.tripod_items import TRIPOD_ITEMS


def test_the_checklist_has_its_27_items_in_order() -> None:
    numbers = [item.number for item in TRIPOD_ITEMS]
    assert len(numbers) == len(set(numbers)) == 52
    assert list(dict.fromkeys(int(number.rstrip("abcdefg")) for number in numbers)) == list(
        range(1, 28)
    )


def test_what_the_run_cannot_know_is_blank_until_somebody_says_it(full: Findings) -> None:
    silent = replace(full, statements={})
    told = replace(full, statements={"17": "Approved by committee A, no. 3."})
    at = {item.number: place for place, item in enumerate(TRIPOD_ITEMS)}["17"]
    assert not tripod_lines(silent)[at].reported
    assert tripod_lines(told)[at].stated == "Approved by committee A, no. 3."


def test_blank_words_are_no_statement(full: Findings) -> None:
    lines = tripod_lines(replace(full, statements={"17": "  "}))
    assert not next(line for line in lines if line.item.number == "17").reported


def test_what_the_run_did_not_do_is_not_claimed(full: Findings) -> None:
    bare = replace(full, subgroups=(), missing=(), selections=(), statements={})
    reported = {line.item.number for line in tripod_lines(bare) if line.reported}
    assert reported.isdisjoint({"11", "12b", "12d", "14", "23b"})


def test_what_is_known_of_the_participants_is_pointed_at_and_no_more_is_claimed(
    full: Findings,
) -> None:
    def told(findings: Findings) -> str:
        return next(line.text for line in tripod_lines(findings) if line.item.number == "20b")

    assert told(full) == (
        "patients, events, median follow-up, missing data by variable; no table of characteristics"
    )
    unknown = replace(full, missing=(), endpoint=replace(full.endpoint, follow_up_days=None))
    assert told(unknown) == "patients, events; no table of characteristics"
