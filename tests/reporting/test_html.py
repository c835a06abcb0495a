import re
from base64 import b64decode
from collections import Counter
from collections.abc import Collection
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from hnmets.datasets.suspicion import Suspicion
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.operating_point import OperatingPoint
from hnmets.reporting.audit import Control
from hnmets.reporting.catalog import CHARTS
from hnmets.reporting.curves import CalibrationPoints, DecisionPoints, RiskHistogram, RocPoints
from hnmets.reporting.explained import ExplainedImage
from hnmets.reporting.few_events import few_events
from hnmets.reporting.findings import Findings
from hnmets.reporting.html import render, write_report
from hnmets.reporting.rung import CalibrationNumbers, Stage
from hnmets.reporting.selected import SelectedFeature
from hnmets.reporting.timed import Timed
from hnmets.reporting.tripod import tripod_lines
from tests.builders_findings import without
from tests.reporting.html_page import Element, Page

POINTS = (CalibrationPoints, DecisionPoints, RiskHistogram, RocPoints)
# Shown once for all rungs, which share them, or as a range.
SHARED = {"n", "events", "prevalence", "blind_accuracy", "thresholds"}


@pytest.fixture(scope="module")
def page(full: Findings) -> Page:
    return Page.of(render(full))


@pytest.fixture(scope="module")
def few_page(few: Findings) -> Page:
    return Page.of(render(few))


def numbers(value: object, *, without: Collection[str] = ()) -> Counter[float]:
    """Count all numbers of plain data that a table can show; curves are for figures."""
    if isinstance(value, (bool, NotEstimable, *POINTS)):
        return Counter()
    if isinstance(value, int | float):
        return Counter([float(value)])
    if isinstance(value, Estimate):
        return Counter([value.value, value.low, value.high])
    items: list[object] = []
    if isinstance(value, list | tuple):
        items = list(value)
    elif is_dataclass(value):
        items = [getattr(value, f.name) for f in fields(value) if f.name not in without]
    return sum((numbers(item, without=without) for item in items), Counter())


def derived(findings: Findings) -> set[float]:
    """Numbers that follow from the findings, worked out here again."""
    missing = {row.missing / (row.known + row.missing) for row in findings.missing}
    left = {
        float(findings.flow.read - sum(e.count for e in findings.flow.exclusions[: place + 1]))
        for place in range(len(findings.flow.exclusions))
    }
    lines = tripod_lines(findings)
    reported = sum(line.generated is not None or line.stated != "" for line in lines)
    chosen = {
        float(len(columns))
        for selection in findings.selections
        for columns in (selection.features, selection.shown, selection.given)
    }
    consequences = few_events(findings)
    return {
        *missing,
        *left,
        *chosen,
        (findings.endpoint.horizon_days or 0.0) / 365.25,
        float(reported),
        float(len(lines)),
        10.0,  # small cells
        100.0,  # events that a calibration curve needs
        *(numbers(consequences) if consequences else ()),
    }


def cells(row: Element) -> list[Element]:
    return row.all("td")


def rows(page: Element, table: str) -> list[Element]:
    (body,) = page.by_id(table).all("tbody")
    return body.all("tr")


@pytest.mark.parametrize("which", ["full", "few"])
def test_every_number_in_the_document_is_one_of_the_findings(
    which: str, request: pytest.FixtureRequest
) -> None:
    findings: Findings = request.getfixturevalue(which)
    shown = set(Page.of(render(findings)).numbers)
    assert shown <= set(numbers(findings)) | derived(findings)


def test_every_estimate_of_the_findings_is_in_the_document(full: Findings, page: Page) -> None:
    shown = Counter(page.numbers)
    wanted = numbers(full.rungs, without=SHARED)
    for rung in full.rungs:
        wanted += numbers((min(rung.thresholds), max(rung.thresholds)))
    for part in (full.subgroups, full.controls, full.missed, full.flow, full.missing):
        wanted += numbers(part)
    for part in (full.published, full.selections, full.stability, full.permutation):
        wanted += numbers(part)
    wanted += numbers(full.explained, without={"error"})  # blank where there is none
    assert not wanted - shown
    assert {full.main.prevalence, full.main.operating.blind_accuracy} <= set(shown)


def test_what_is_written_is_the_number_rounded(page: Page) -> None:
    for data in page.all("data"):
        value, text = float(data.attributes["value"] or "nan"), data.text.replace("−", "-")
        if text.startswith("<"):
            assert value < float(text.removeprefix("<"))
            continue
        if text.endswith(" %"):
            value, text = 100 * value, text.removesuffix(" %")
        decimals = len(text.partition(".")[2])
        assert abs(float(text) - value) <= 0.5 * 10**-decimals + 1e-9
        assert not text.startswith("-0.000") or float(text) != 0


def test_each_rung_has_its_own_numbers_in_its_row(full: Findings, page: Page) -> None:
    for rung, row in zip(full.rungs, rows(page, "discrimination"), strict=True):
        (name,) = row.all("th")
        assert name.text == rung.name
        pooled, fold_mean, one_class, precision, oracle = (cell.numbers for cell in cells(row))
        assert pooled == [rung.auc.value, rung.auc.low, rung.auc.high]
        assert fold_mean == [rung.fold_mean.value, rung.fold_mean.low, rung.fold_mean.high]
        assert one_class == [rung.one_class_folds]
        assert precision[0] == rung.average_precision.value
        assert oracle == [rung.oracle_auc]


def ends(measured: Measured) -> list[float]:
    assert isinstance(measured, Estimate)
    return [measured.value, measured.low, measured.high]


def test_each_rung_has_its_own_operating_point_and_calibration(full: Findings, page: Page) -> None:
    tables = zip(rows(page, "operating"), rows(page, "calibration-numbers"), strict=True)
    for rung, (operating, calibrated) in zip(full.rungs, tables, strict=True):
        assert isinstance(rung.operating, OperatingPoint)
        assert isinstance(rung.calibration, CalibrationNumbers)
        shares = ("sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "accuracy")
        shown = [cell.numbers for cell in cells(operating)[1:]]
        assert shown == [ends(getattr(rung.operating, share)) for share in shares]
        found = rung.calibration
        whole = (found.intercept, found.slope, found.observed_expected, found.brier)
        shown = [cell.numbers for cell in cells(calibrated)]
        assert shown[:4] == [ends(measured) for measured in whole]
        assert shown[4:] == [ends(found.scaled_brier), [found.ici], [found.e50], [found.e90]]


def test_each_comparison_has_its_own_numbers_in_its_row(full: Findings, page: Page) -> None:
    made = [contrast for rung in full.rungs for contrast in rung.contrasts]
    assert len(made) > 5
    for contrast, row in zip(made, rows(page, "comparisons"), strict=True):
        against, delta, _, p_value, adjusted, standing = cells(row)
        assert (against.text, standing.text) == (contrast.against, contrast.verdict.standing)
        assert delta.numbers == ends(contrast.delta)
        assert p_value.numbers == [contrast.verdict.p_value]
        holm = contrast.verdict.adjusted_p
        assert adjusted.numbers == ([] if holm is None else [holm])


def test_a_label_on_the_phone_is_the_head_of_its_column(page: Page) -> None:
    for name in ("discrimination", "operating", "calibration-numbers", "subgroup-table"):
        heads = [head.text for head in page.by_id(name).all("thead")[0].all("th")][1:]
        labels = [cell.attributes["data-label"] for cell in cells(rows(page, name)[0])]
        assert labels == heads


@pytest.mark.parametrize("table", ["discrimination", "operating", "calibration-numbers"])
def test_no_number_of_a_table_stands_outside_its_element(page: Page, table: str) -> None:
    for row in rows(page, table):
        for cell in cells(row):
            assert not re.search(r"\d", cell.without("data"))


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    found = [e.attributes["id"] for e in page.everything() if "id" in e.attributes]
    assert [name for name, count in Counter(found).items() if count > 1] == []
    links = [link.attributes["href"] or "" for link in page.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(found)


def test_nothing_is_loaded_from_anywhere(full: Findings, page: Page) -> None:
    loading = {"script", "link", "iframe", "object", "embed", "image", "base", "form"}
    assert {element.tag for element in page.everything()}.isdisjoint(loading)
    for element in page.everything():
        for name, value in element.attributes.items():
            if name in {"src", "href", "xlink:href", "action", "data"}:
                inside = "data:image/png;base64," if element.tag == "img" else "#"
                assert (value or "").startswith(inside)
            assert not name.startswith("on")
    document = render(full)
    assert not re.search(r"url\((?!#)", document)
    assert "@import" not in document


def test_there_is_no_path_of_a_machine(full: Findings) -> None:
    document = re.sub(r"<svg.*?</svg>", "", render(full), flags=re.DOTALL)
    assert str(Path.home()) not in document
    assert str(Path(__file__).parent) not in document


def test_equal_findings_give_equal_documents(full: Findings) -> None:
    assert render(full) == render(full)


def test_hostile_names_stay_text(full: Findings) -> None:
    hostile = '<script>alert(1)</script>"onload="x" \u202egnp.exe {{ 7*7 }}\x07'
    study = replace(
        full,
        study=hostile,
        endpoint=replace(full.endpoint, definition=hostile),
        limits=(hostile,),
        statements={"18a": hostile},
        lineage=replace(full.lineage, environment={hostile: hostile}),
        subgroups=tuple(replace(row, group=hostile) for row in full.subgroups),
        selections=tuple(
            replace(s, features=(replace(s.features[0], name=hostile),)) for s in full.selections
        ),
    )
    page = Page.of(render(study))
    written = hostile.replace("\u202e", "\\u202e").replace("\x07", "\\x07")
    assert page.all("script") == []
    assert page.all("h1")[0].text == written
    assert all(cells(row)[0].text == written for row in rows(page, "subgroup-table"))
    assert "\u202e" not in render(study)


def test_the_first_thing_said_is_that_it_is_no_medical_device(page: Page) -> None:
    assert page.all("body")[0].text.startswith("Research use only. Not a medical device.")


def test_all_figures_are_there_with_a_name_for_those_who_do_not_see_them(page: Page) -> None:
    named = [picture.attributes["aria-label"] for picture in page.all("svg")]
    assert named == [chart.title for chart in CHARTS.values()]


def test_five_events_come_with_what_they_cannot_show(few_page: Page) -> None:
    box = few_page.by_id("few-events")
    assert "What 5 events cannot show" in box.text
    # One of five events from the last place to the first: a fifth of the AUC.
    assert "the AUC changes by 0.20." in box.text
    assert "Only 5 of 15 patients have the event. When" in box.text
    summary = few_page.by_id("summary").text
    assert "narrower than it should be: it decides nothing" in summary
    assert "the data show" not in summary


def test_with_few_events_no_p_is_printed(few_page: Page, page: Page) -> None:
    for row in rows(few_page, "comparisons"):
        delong, holm = cells(row)[-3:-1]
        assert (delong.text, holm.text) == ("too few events", "too few events")
    assert "Holm-adjusted" not in few_page.by_id("summary").text
    assert "too few events" not in page.by_id("comparisons").text


def test_a_baseline_that_was_not_run_is_named_at_the_top(few: Findings) -> None:
    page = Page.of(render(without(few, Stage.CLINICAL_SIZE)))
    assert (
        "It was not compared with clinical + size, which was not run: the store holds no features"
        in page.by_id("summary").text
    )


def test_enough_events_come_without_that_warning(page: Page) -> None:
    assert all(element.attributes.get("id") != "few-events" for element in page.everything())


def test_what_cannot_be_drawn_or_told_says_why(few_page: Page) -> None:
    assert "needs 10 patients with and without the event" in few_page.by_id("curves").text
    assert few_page.by_id("subgroups").text.count("not estimable") >= 6


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.2, "the data show a gain"),
        (-0.1, 0.2, "do not show a gain"),
        (-0.2, -0.01, "the data show a loss"),
    ],
)
def test_the_summary_follows_the_interval(
    full: Findings, low: float, high: float, words: str
) -> None:
    contrast = full.main.versus_baseline
    assert contrast is not None
    delta = replace(contrast.delta, value=(low + high) / 2, low=low, high=high)
    main = replace(full.main, versus_baseline=replace(contrast, delta=delta))
    rungs = tuple(main if rung is full.main else rung for rung in full.rungs)
    summary = Page.of(render(replace(full, rungs=rungs))).by_id("summary").text
    assert words in summary


def test_a_leak_is_called_one(full: Findings) -> None:
    leak = replace(full.main, oracle_auc=0.55)
    rungs = tuple(leak if rung is full.main else rung for rung in full.rungs)
    summary = Page.of(render(replace(full, rungs=rungs))).by_id("summary").text
    assert "a model that knows the truth reaches 0.550. This is a leak until proven" in summary


def with_shortcut(full: Findings, *, lead_low: float, auc_low: float = 0.6) -> Page:
    """A report whose only control is a shortcut with such intervals."""
    auc, lead = full.main.auc, full.controls[0].lead
    assert isinstance(auc, Estimate)
    assert isinstance(lead, Estimate)
    control = Control(
        kind="shortcut",
        name="centre and scanner",
        what="the outcome, from them alone",
        auc=replace(auc, low=auc_low),
        lead=replace(lead, low=lead_low),
    )
    return Page.of(render(replace(full, controls=(control,))))


def test_a_shortcut_that_rivals_the_model_stands_in_summary_and_limits(full: Findings) -> None:
    page = with_shortcut(full, lead_low=-0.02)
    assert "centre and scanner alone: AUC" in page.by_id("shortcuts").text
    assert "the model may have learned that" in page.by_id("limits").text
    chance = with_shortcut(full, lead_low=-0.02, auc_low=0.45).by_id("limits").text
    assert "neither that this tells the outcome nor that the model tells more" in chance


def test_a_shortcut_that_the_model_leads_is_in_the_table_alone(full: Findings) -> None:
    page = with_shortcut(full, lead_low=0.01)
    assert all(element.attributes.get("id") != "shortcuts" for element in page.everything())
    assert "centre and scanner" in page.by_id("control-table").text
    limits = page.by_id("limits").text
    assert "centre and scanner" not in limits
    assert "No negative control was run" in limits


def test_features_that_tell_the_centre_are_a_limit(full: Findings) -> None:
    (told,) = [control for control in full.controls if control.kind == "shortcut"]
    assert isinstance(told.auc, Estimate)
    seen = replace(told, name="CHUM from radiomics", auc=replace(told.auc, low=0.8, high=0.9))
    limits = Page.of(render(replace(full, controls=(seen,)))).by_id("limits").text
    assert "CHUM from radiomics: AUC" in limits
    blind = replace(seen, auc=replace(told.auc, low=0.4, high=0.6))
    limits = Page.of(render(replace(full, controls=(blind,)))).by_id("limits").text
    assert "CHUM from radiomics" not in limits


def test_a_suspicion_stands_in_the_summary(page: Page) -> None:
    assert "D_AUC clinical.stage alone tells the outcome apart" in page.by_id("suspicions").text


def test_published_figures_come_with_the_words_that_cohorts_differ(page: Page) -> None:
    assert "The cohorts differ." in page.by_id("ladder").text
    assert [cells(row)[1].numbers for row in rows(page, "published")] == [[0.715], [0.803], [0.73]]


def test_what_was_not_done_is_visibly_blank(full: Findings) -> None:
    bare = replace(
        full,
        missing=(),
        subgroups=(),
        selections=(),
        controls=(),
        stability=None,
        permutation=None,
        suspicions=(),
        published=None,
        missed=(),
        statements={},
        limits=(),
    )
    page = Page.of(render(bare))
    for section in ("cohort", "subgroups", "features", "controls", "missed", "tripod"):
        assert "not reported" in page.by_id(section).text
    assert "No negative control was run" in page.by_id("limits").text


def held_against(full: Findings, low: float, **changed: str) -> Findings:
    """The findings with the lead over the first control moved to an interval from `low`."""
    control = full.controls[0]
    assert isinstance(control.lead, Estimate)
    lead = replace(control.lead, value=low + 0.02, low=low, high=low + 0.04)
    controls = (replace(control, lead=lead, rung=full.headline, **changed), *full.controls[1:])
    return replace(full, controls=controls)


def test_a_control_that_the_model_does_not_beat_is_told_in_words(full: Findings) -> None:
    page = Page.of(render(held_against(full, -0.02)))
    told = page.by_id("unbeaten")
    assert "do not show that it needs what this control lacks" in told.text
    assert told.numbers == [0.0, -0.02, 0.02]
    limits = page.by_id("limits").text
    assert f"{full.headline} is not shown to be better than shuffled voxels" in limits
    # The second of the table is a shortcut without a lead: nothing can be said.
    assert [cells(row)[-1].text for row in rows(page, "control-table")] == ["no", "–"]


def test_a_model_that_does_not_beat_size_is_not_shown_to_be_more_than_volume(
    full: Findings,
) -> None:
    page = Page.of(render(held_against(full, -0.02, kind="size alone", name="size")))
    assert "do not show that it is more than volume" in page.by_id("unbeaten").text
    # Size is no destroyed image: that none was tried stays a limit.
    assert "No negative control was run" in page.by_id("limits").text


def test_few_events_do_not_show_that_a_control_is_beaten(full: Findings, few: Findings) -> None:
    page = Page.of(render(replace(few, controls=held_against(full, 0.1).controls)))
    assert cells(rows(page, "control-table")[0])[-1].text == "too few events to say"


def test_a_control_that_is_beaten_is_no_caution(full: Findings) -> None:
    html = render(held_against(full, 0.001))
    assert 'id="unbeaten"' not in html
    assert "is not shown to be better" not in html


def test_size_is_no_image_of_which_something_is_left(full: Findings) -> None:
    page = Page.of(render(held_against(full, -0.02, kind="size alone", name="size")))
    limits = page.by_id("limits").text
    assert (
        f"{full.headline} is not shown to be better than size alone: what it knows may be no "
        "more than how large the regions are." in limits
    )
    assert "left of the image" not in limits


def test_chosen_columns_are_counted_in_full_and_stand_before_those_that_are_given(
    full: Findings,
) -> None:
    names = [f"radiomics.ring.x{place:02d}" for place in range(45)]
    features = tuple(SelectedFeature(name=name, frequency=0.5) for name in names)
    (selection,) = full.selections
    many = replace(selection, features=features)
    section = Page.of(render(replace(full, selections=(many,)))).by_id("features")
    told = "45 of the 1562 columns to choose from were chosen at least once in 10 folds; the 40 "
    assert told + "chosen most often are listed" in section.text
    assert "were given 3 columns that no step chooses" in section.text
    listed = [row.all("th")[0].text for table in section.all("tbody") for row in table.all("tr")]
    given = ["clinical.age", "embedding.both.pc01", "clinical.sex=unknown"]
    assert listed == [*names[:40], *given]


def test_a_rung_without_columns_to_choose_from_is_not_said_to_disagree(full: Findings) -> None:
    (selection,) = full.selections
    none = replace(selection, candidates=0, features=(), stability=None)
    section = Page.of(render(replace(full, selections=(none,)))).by_id("features").text
    assert "This rung sees no columns that a step chooses from." in section
    assert "Agreement" not in section


def test_a_rung_behind_clinical_and_size_is_compared_with_it_once(full: Findings) -> None:
    rung = full.rungs[3]
    both = replace(rung, versus_previous=rung.versus_baseline)
    rungs = tuple(both if each is rung else each for each in full.rungs)
    page = Page.of(render(replace(full, rungs=rungs)))
    told = [(row.all("th")[0].text, cells(row)[0].text) for row in rows(page, "comparisons")]
    assert told.count((rung.name, "clinical + volume")) == 1
    assert len(told) == len(set(told))


@pytest.mark.parametrize("known", [True, False])
def test_deaths_that_the_table_does_not_tell_are_neither_counted_nor_competing(
    full: Findings, *, known: bool
) -> None:
    timed = Timed(
        horizon_days=730,
        event=40,
        died=11 if known else 0,
        event_free=200,
        censored=69,
        untimed=0,
        deaths_known=known,
        incidence=full.main.auc,
        rungs=(),
    )
    told = Page.of(render(replace(full, timed=timed))).by_id("ladder").text
    assert ("11 dead without it" in told) is known
    assert ("death being a competing risk" in told) is known
    assert ("The table does not tell of deaths" in told) is not known


def test_one_is_no_plural(full: Findings) -> None:
    once = replace(full.protocol, repeats=1)
    told = Page.of(render(replace(full, protocol=once))).by_id("protocol").text
    assert "5 folds, 1 repeat, never dividing" in told


def test_a_rung_that_was_not_run_is_in_the_ladder_and_the_limits(full: Findings) -> None:
    page = Page.of(render(without(full, Stage.DEEP)))
    assert "not run: the store holds no features for it" in page.by_id("contents").text
    assert "the store holds no features for it" in page.by_id("limits").text


def test_without_a_horizon_the_report_says_that_a_risk_has_no_by_when(full: Findings) -> None:
    page = Page.of(render(replace(full, endpoint=replace(full.endpoint, horizon_days=None))))
    assert "no horizon was set" in page.by_id("cohort").text
    assert 'has no "by when"' in page.by_id("limits").text


def test_the_checklist_has_a_line_for_every_part(page: Page) -> None:
    lines = [row for row in rows(page, "tripod-table") if cells(row)]
    assert len(lines) == 52
    blank = [row.all("th")[0].text for row in lines if cells(row)[-1].text == "not reported"]
    assert {"2", "3a", "5a", "18b", "19", "27c"} <= set(blank)


def test_the_file_holds_the_document(full: Findings, tmp_path: Path) -> None:
    write_report(full, tmp_path / "reports" / "report.html")
    assert (tmp_path / "reports" / "report.html").read_text(encoding="utf-8") == render(full)


def test_an_explained_risk_is_taken_apart_and_a_shortcut_is_named(
    full: Findings, page: Page
) -> None:
    case = full.explained[0]
    shown = page.by_id("explained-1")
    assert shown.all("h3")[0].text.startswith(f"{case.case_id}: risk 0.354, the event was seen")
    for found, table in zip((case.modalities, case.columns), shown.all("table"), strict=False):
        start, *bars, whole = [row.numbers[0] for row in table.all("tbody")[0].all("tr")]
        assert [start, *bars] == [found.base, *(bar.value for bar in found.bars)]
        assert start + sum(bars) == pytest.approx(whole)
    assert "most lies outside: a shortcut until explained" in shown.text
    assert "nothing is attributed anywhere" in shown.text
    assert isinstance(case.image, ExplainedImage)
    drawn = [picture.attributes["src"] for picture in shown.all("img")]
    header = "data:image/png;base64,"
    assert [b64decode(src.removeprefix(header)) for src in drawn if src] == [
        plane.png for plane in case.image.planes
    ]


def test_a_risk_without_an_image_says_why(full: Findings) -> None:
    case = replace(full.explained[0], image="no backbone was trained in this fold")
    page = Page.of(render(replace(full, explained=(case,))))
    assert "not shown: no backbone was trained in this fold" in page.by_id("explained").text
    assert page.all("img") == []


def test_where_no_risk_was_explained_the_command_is_named(full: Findings) -> None:
    section = Page.of(render(replace(full, explained=()))).by_id("explained")
    assert "hnmets explain --case CASE" in section.text


def test_without_cases_nobody_is_named_and_all_other_numbers_stay(full: Findings) -> None:
    twice = Suspicion(
        code="D_DUPLICATE",
        what="size.tumour is the same for different patients",
        next_step="Find out whose images they are.",
        cases=("CASE-0007", "CASE-0100"),
    )
    findings = replace(full, suspicions=(twice,))
    assert "CASE-0007" in render(findings)
    document = render(findings, cases=False)
    assert not re.search(r"CASE-\d", document)
    assert not re.search(r"HN-\d", document)
    page = Page.of(document)
    assert "the same for different patients (2 cases)" in page.by_id("suspicions").text
    for section in ("missed", "explained"):
        assert page.by_id(section).text.endswith("left out: this report names no case")
    whole = Counter(Page.of(render(findings)).numbers)
    assert not whole - Counter(page.numbers) - numbers(full.missed) - numbers(full.explained)


def test_an_explanation_of_another_model_is_refused(full: Findings) -> None:
    for other in ({"rung": "volume"}, {"split_hash": "0" * 64}, {"dataset_digest": "0" * 64}):
        case = replace(full.explained[0], **other)
        with pytest.raises(InvalidDataError, match="explanation of CASE-0002 is of another model"):
            replace(full, explained=(case,))
