"""A registered model on patients of elsewhere: as it is, by their table, and looked at once."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.estimate import Estimate, measured_text
from hnmets.execution.local import InProcess
from hnmets.registry.card import as_markdown
from hnmets.registry.errors import LockedTestError
from hnmets.registry.prediction import Prediction
from hnmets.reporting.external import External
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.opening import open_tracker
from hnmets.workflows import (
    ablate,
    external_validation,
    features_build,
    models_promote,
    models_register,
    predict,
)
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice, views_of
from hnmets.workflows.model_facts import facts_of
from hnmets.workflows.model_versions import audit_log
from hnmets.workflows.study import Study, load_study
from tests.builders_studies import write

OURS = """\
[study]
name = "ours"

[cohort]
manifest = "cohort.csv"
case = "id"
centre = { pattern = "^HN-([A-Z]+)-" }

[clinical.age]
column = "age"
type = "number"
unit = "years"
known_at = "baseline"

[clinical.volume]
column = "vol"
type = "number"
unit = "mm3"
known_at = "baseline"

[clinical.hpv]
column = "hpv"
type = "category"
values = { positive = ["+"], negative = ["-"] }
missing = ["N/A"]
known_at = "baseline"

[outcome]
event = "dm"

[split]
repeats = 2

[evaluation]
draws = 300
"""
# Another hospital: other headers, other spellings, another order, and one variable less.
THEIRS = """\
[study]
name = "theirs"

[cohort]
manifest = "patienten.csv"
case = "Fall"
patient = "Patient"

[clinical.volume]
column = "Volumen"
type = "number"
unit = "mm3"
known_at = "baseline"

[clinical.age]
column = "Alter"
type = "number"
unit = "years"
known_at = "baseline"

[outcome]
event = "Fernmetastase"
values = { 1 = ["ja"], 0 = ["nein"] }

[evaluation]
draws = 300
"""


def built(file: Path) -> Study:
    study = load_study(file, environ={})
    features_build.run(study, Request(), executor=InProcess())
    return study


def registered(folder: Path, lines: Sequence[str], text: str = OURS) -> Study:
    """A study with version 1 of all that is clinical."""
    study = built(write(folder, toml=text, rows=lines))
    with open_tracker(folder) as tracker:
        ablate.run(study, choice=Choice(only=("clinical",)), tracker=tracker)
    models_register.run(study)
    return study


def people(cases: int, seed: int) -> list[tuple[str, float, float, bool]]:
    rng = np.random.default_rng(seed)
    event = rng.random(cases) < 0.3
    volume = np.exp(rng.normal(9.8 + 1.2 * event, 0.6))
    return [
        (f"{n:03d}", float(rng.normal(60, 8)), float(v), bool(e))
        for n, (v, e) in enumerate(zip(volume, event, strict=True))
    ]


def their_lines(cases: int = 120, seed: int = 9) -> list[str]:
    return [
        "Patient,Fernmetastase,Alter,Fall,Volumen",
        *(
            f"P{n},{'ja' if event else 'nein'},{age:.1f},F{n},{volume:.1f}"
            for n, age, volume, event in people(cases, seed)
        ),
    ]


@pytest.fixture
def ours(tmp_path: Path, empty_project: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    lines = [
        f"HN-{'AB'[int(n) % 2]}-{n},{age:.1f},{volume:.1f},{'+-'[int(n) % 2]},{int(event)}"
        for n, age, volume, event in people(150, 5)
    ]
    return registered(empty_project, ["id,age,vol,hpv,dm", *lines])


@pytest.fixture
def theirs(tmp_path: Path) -> Study:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return built(write(folder, toml=THEIRS, rows=their_lines(), name="patienten.csv"))


def validate(ours: Study, theirs: Study, again: str = "") -> External:
    return external_validation.run(ours, theirs, model="1", again=again)


def test_a_model_is_applied_as_it_is_through_the_other_studys_table(
    ours: Study, theirs: Study, tmp_path: Path
) -> None:
    found = validate(ours, theirs)
    assert (found.study, found.predictions.n, found.looks) == ("theirs", 120, 1)
    auc = found.measures["auc"]
    assert isinstance(auc, Estimate)
    assert auc.low > 0.6
    assert found.flags["imputed"] == 120  # they never asked for HPV
    # The same by hand: a table in our own words.
    table = ["case_id,clinical.volume,clinical.age,clinical.hpv"]
    table += [f"P{n},{volume:.1f},{age:.1f}," for n, age, volume, _ in people(120, 9)]
    (tmp_path / "t.csv").write_text("\n".join(table) + "\n")
    told = predict.by_table(ours, tmp_path / "t.csv", model="1")
    assert found.predictions.patient_ids == tuple(each.case_id for each in told.predictions)
    np.testing.assert_allclose(
        found.predictions.risk, [each.risk for each in told.predictions], atol=1e-12
    )
    positive = np.array([each.positive for each in told.predictions])
    sensitivity = found.measures["sensitivity"]
    assert isinstance(sensitivity, Estimate)
    assert sensitivity.value == pytest.approx(positive[found.predictions.outcome].mean())
    json.dumps(found.as_json())


def test_nothing_of_a_model_changes_by_being_tried_elsewhere(ours: Study, theirs: Study) -> None:
    before = predict.by_cases(ours, ["HN-A-000"], model="1")
    validate(ours, theirs)
    after = predict.by_cases(ours, ["HN-A-000"], model="1")
    assert (after.as_json(), after.opened.digest) == (before.as_json(), before.opened.digest)
    assert isinstance(after.answers[0], Prediction)


def test_what_was_found_is_a_page_and_a_run_beside_the_evaluation(
    ours: Study, theirs: Study, tmp_path: Path
) -> None:
    tracker = InMemoryTracker()
    file = tmp_path / "pages" / "theirs.html"
    found = external_validation.run(ours, theirs, model="1", page=file, tracker=tracker)
    (kept,) = tracker.runs.values()
    assert (kept.run.experiment, kept.run.name) == ("ours", "version 1 on theirs, look 1")
    assert kept.run.tags["package"] == found.version.package
    auc = found.measures["auc"]
    assert isinstance(auc, Estimate)
    assert kept.values["auc"] == pytest.approx(auc.value, abs=1e-4)
    assert kept.values["auc_low"] < kept.values["auc"] < kept.values["auc_high"]
    assert json.loads(kept.artifacts["external.json"])["looks"] == 1
    text = file.read_text(encoding="utf-8")
    assert kept.artifacts["external.html"] == text.encode()
    assert f'value="{auc.value!r}"' in text
    assert "looked at for the first time" in text
    assert "<figure>" in text
    assert not any(patient in text for patient in found.predictions.patient_ids)
    opened = predict.open_version(ours, "1")
    told = f"theirs: AUC {measured_text(auc)}, look 1, run {next(iter(tracker.runs))[:8]}"
    assert facts_of(opened)["tried elsewhere"] == told
    card = as_markdown(opened.predictor.opened.card, opened.version.elsewhere)
    assert f"## Elsewhere, since then\n\n- {told}\n" in card
    external_validation.run(
        ours, theirs, model="1", again="a typing error", page=file, tracker=tracker
    )
    assert "Look 2 at these patients" in file.read_text(encoding="utf-8")
    assert len(predict.open_version(ours, "1").version.elsewhere) == 2


def test_a_second_look_needs_a_reason_and_every_look_is_recorded(
    ours: Study, theirs: Study
) -> None:
    validate(ours, theirs)
    with pytest.raises(LockedTestError, match="looked at once on 2") as caught:
        validate(ours, theirs)
    assert (caught.value.exit_code, "--again" in caught.value.__notes__[0]) == (6, True)
    assert validate(ours, theirs, again="a reviewer asks for the ages").looks == 2
    looks = [entry for entry in audit_log(ours).entries() if entry.action == "look"]
    assert [entry.reason for entry in looks] == ["", "a reviewer asks for the ages"]
    assert len({entry.what for entry in looks}) == 1
    tried = models_promote.run(ours, "1")
    assert tried.looks == 2
    # It sees a table alone: no voxel that could be shuffled, and no contour that could be moved.
    assert not {"controls", "stability"} & set(tried.table.failed)


def test_other_patients_are_another_test(ours: Study, theirs: Study, tmp_path: Path) -> None:
    validate(ours, theirs)
    folder = tmp_path / "third"
    folder.mkdir()
    text = THEIRS.replace('"theirs"', '"third"')
    third = built(write(folder, toml=text, rows=their_lines(seed=11), name="patienten.csv"))
    assert validate(ours, third).looks == 1


@pytest.mark.parametrize("name", ["theirs", "renamed"])
def test_neither_a_corrected_outcome_nor_a_new_name_makes_a_new_test(
    name: str, ours: Study, theirs: Study, tmp_path: Path
) -> None:
    validate(ours, theirs)
    lines = their_lines()
    if name == "theirs":
        lines[1] = lines[1].replace(",nein,", ",ja,")
        assert lines != their_lines()
    folder = tmp_path / "anew"
    folder.mkdir()
    text = THEIRS.replace('"theirs"', f'"{name}"')
    anew = built(write(folder, toml=text, rows=lines, name="patienten.csv"))
    with pytest.raises(LockedTestError, match=f"patients of '{name}' were looked at once"):
        validate(ours, anew)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace('"mm3"', '"ml"'), "'clinical.volume' is in 'ml'"),
        (lambda text: text.split("[outcome]")[0], "study 'theirs' has no outcome"),
    ],
    ids=["unit", "outcome"],
)
def test_what_cannot_be_compared_is_refused_before_it_is_looked_at(
    change: Callable[[str], str], complaint: str, ours: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    text = change(THEIRS)
    odd = built(write(folder, toml=text, rows=their_lines(), name="patienten.csv"))
    with pytest.raises(InvalidDataError, match=complaint):
        validate(ours, odd)
    assert not [entry for entry in audit_log(ours).entries() if entry.action == "look"]


def test_without_outcomes_in_the_other_store_the_command_that_builds_them_is_named(
    ours: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    half = load_study(
        write(folder, toml=THEIRS, rows=their_lines(), name="patienten.csv"), environ={}
    )
    features_build.run(half, Request(only=("cohort", "clinical")), executor=InProcess())
    with pytest.raises(InvalidDataError, match="store of study 'theirs' has no outcomes") as met:
        validate(ours, half)
    assert f"hnmets features build --study {half.file}" in met.value.__notes__[0]


def test_a_page_that_cannot_be_written_is_refused_before_patients_are_looked_at(
    ours: Study, theirs: Study, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    for page, complaint in ((tmp_path, UsageError), (file / "page.html", OSError)):
        with pytest.raises(complaint):
            external_validation.run(ours, theirs, model="1", page=page)
    assert validate(ours, theirs).looks == 1


def test_patients_whom_the_model_may_have_learned_from_are_no_test(
    ours: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "equal"
    folder.mkdir()
    lines = their_lines()
    lines[1:4] = [
        line.replace(f",F{n:03d},", f",HN-{'AB'[n % 2]}-{n:03d},")
        for n, line in enumerate(lines[1:4])
    ]
    equal = built(write(folder, toml=THEIRS, rows=lines, name="patienten.csv"))
    complaint = "3 of 120 cases of 'theirs' have the id of a patient whom the model learned from"
    with pytest.raises(InvalidDataError, match=complaint) as caught:
        validate(ours, equal)
    assert "--equal-ids" in caught.value.__notes__[0]
    assert not [entry for entry in audit_log(ours).entries() if entry.action == "look"]
    file = tmp_path / "equal.html"
    told = "each hospital counts from 1"
    external_validation.run(ours, equal, model="1", equal_ids=told, page=file)
    (look,) = [entry for entry in audit_log(ours).entries() if entry.action == "look"]
    assert look.reason == f"equal ids: {told}"
    assert f"They are other people, it is said: {told}" in file.read_text(encoding="utf-8")


CENTRES = ("HGJ", "CHUS"), ("HMR", "CHUM")
HN = """\
[study]
name = "{name}"

[cohort]
manifest = "cohort.csv"
case = "{id}"
centre = {{ pattern = "^HN-([A-Z]+)-" }}

[clinical.age]
column = "{age}"
type = "number"
unit = "years"
known_at = "baseline"

[clinical.sex]
column = "{sex}"
type = "category"
values = {{ female = ["F"], male = ["M", "m"] }}
known_at = "baseline"

[clinical.t_stage]
column = "{t}"
type = "category"
values = {{ T1 = [], T2 = [], T3 = [], T4 = [], T4a = [], T4b = [], Tx = [] }}
known_at = "baseline"

[clinical.n_stage]
column = "{n}"
type = "category"
values = {{ N0 = [], N1 = [], N2 = [], N2a = [], N2b = [], N2c = [], N3 = [], N3b = [] }}
known_at = "baseline"

[clinical.site]
column = "{site}"
type = "category"
values.oropharynx = ["Oropharynx"]
values.larynx = ["Larynx"]
values.nasopharynx = ["Nasopharynx"]
values.hypopharynx = ["Hypopharynx"]
values.unknown_primary = ["unknown"]
known_at = "baseline"

[clinical.hpv]
column = "{hpv}"
type = "category"
values = {{ positive = ["+"], negative = ["-"] }}
missing = ["N/A"]
known_at = "baseline"
override_reason = "tested on the biopsy"

[clinical.log_volume]
column = "{volume}"
type = "number"
known_at = "baseline"

[outcome]
event = "{dm}"

[evaluation]
draws = 500
"""
NAMES = ("id", "age", "sex", "t", "n", "site", "hpv", "volume", "dm")
OF = ("id", "age", "sex", "tstage", "nstage", "site", "overall_hpv_status", "vol", "Distant")


def centre_study(
    folder: Path, real_data: Path, centres: Sequence[str], names: Sequence[str]
) -> Path:
    """The patients of some centres, under headers of their own; the volume as its logarithm."""
    source = real_data / "hn-pet-ct" / "clinical_with_volumes.csv"
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = [r for r in csv.DictReader(file, delimiter=";") if r["id"].split("-")[1] in centres]
    for row in rows:
        row["vol"] = f"{np.log(float(row['vol'])):.6f}"
    folder.mkdir(exist_ok=True)
    lines = [";".join(names), *(";".join(row[column] for column in OF) for row in rows)]
    text = HN.format(name=" ".join(centres), **dict(zip(NAMES, names, strict=True)))
    return write(folder, toml=text, rows=lines)


@pytest.fixture
def two_hospitals(
    real_data: Path, tmp_path: Path, empty_project: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Study, Study]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    ours = built(centre_study(empty_project, real_data, CENTRES[0], NAMES))
    foreign = [f"Spalte {name}" for name in NAMES]
    theirs = built(centre_study(tmp_path / "theirs", real_data, CENTRES[1], foreign))
    return ours, theirs


@pytest.mark.real_data
def test_clinical_variables_and_size_of_two_hospitals_predict_two_others_as_published(
    two_hospitals: tuple[Study, Study],
) -> None:
    ours, theirs = two_hospitals
    (view,) = views_of(("clinical",), model="logistic")
    with open_tracker(ours.folder) as tracker:
        ablate.run(ours, choice=Choice(views=(view,), only=(view.name,)), tracker=tracker)
    models_register.run(ours)
    found = validate(ours, theirs)
    assert (found.predictions.n, found.predictions.events) == (106, 14)
    auc = found.measures["auc"]
    assert isinstance(auc, Estimate)
    # scikit-learn's logistic regression on the same variables and centres: 0.73 to 0.75.
    assert auc.value == pytest.approx(0.73, abs=0.03)
    assert auc.low < auc.value < auc.high
    assert isinstance(found.measures["calibration_slope"], Estimate)
    assert isinstance(found.measures["observed_expected"], Estimate)
    with pytest.raises(LockedTestError):
        validate(ours, theirs)
