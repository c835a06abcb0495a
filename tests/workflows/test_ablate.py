"""The ladder: the same folds for everybody, nothing learned from who is scored, all of it told."""

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from feature_store.recipe import Recipe
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.execution.local import InProcess
from hnmets.models.catalog import MODELS
from hnmets.models.fusion import Fusion
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.names import ModelName
from hnmets.reporting.findings_json import from_json
from hnmets.reporting.published import PAPER
from hnmets.selection.components import PrincipalComponents
from hnmets.selection.reference import SelectionParameters
from hnmets.selection.stability import selection_frequency, selection_stability
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.naming import Kind
from hnmets.workflows import ablate, features_build, features_import, report
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.features_build import Request
from hnmets.workflows.features_import import ImportRequest
from hnmets.workflows.ladder import Choice, preset_of, rung_of, rungs_of, views_of
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.study_sections import View
from tests.builders_cohorts import hnmets, study_of
from tests.builders_ladders import STUDY, every_modality
from tests.builders_studies import write

CASES = 90


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Ninety cases of 85 patients; age tells, the imported embedding is noise."""
    rng = np.random.default_rng(5)
    patients = [f"P{min(n, 84):03d}" for n in range(CASES)]
    event = {p: bool(rng.random() < 0.3) for p in dict.fromkeys(patients)}
    age = {p: 60 + 12 * event[p] + rng.normal(0, 6) for p in sorted(event)}
    rows = [
        f"HN-{n:03d},{p},{age[p] + 0.01 * n:.2f},{int(event[p])}" for n, p in enumerate(patients)
    ]
    (tmp_path / "cohort.csv").write_text("\n".join(["id,patient,age,dm", *rows]) + "\n")
    text = STUDY.replace("folds = 2\nrepeats = 1", "folds = 3\nrepeats = 2")
    (tmp_path / "study.toml").write_text(text)
    noise = [f"HN-{n:03d},{a:.6f},{b:.6f}" for n, (a, b) in enumerate(rng.normal(size=(CASES, 2)))]
    (tmp_path / "noise.csv").write_text("\n".join(["id,e0,e1", *noise]) + "\n")
    study = load_study(tmp_path / "study.toml", environ={})
    features_build.run(study, Request(), executor=InProcess())
    request = ImportRequest(
        table=tmp_path / "noise.csv", name="ct-fm", kind="embedding", case_column="id"
    )
    features_import.run(study, request)
    return study


def ladder(study: Study) -> tuple[Ablation, InMemoryTracker]:
    tracker = InMemoryTracker()
    return ablate.run(study, tracker=tracker), tracker


def test_a_rung_whose_columns_tell_nobody_apart_is_left_out_and_the_others_go_on(
    study: Study,
) -> None:
    lines = study.file.with_name("cohort.csv").read_text().splitlines()
    alike = [",".join([*line.split(",")[:2], "60", line.split(",")[3]]) for line in lines[1:]]
    study.file.with_name("cohort.csv").write_text("\n".join([lines[0], *alike]) + "\n")
    features_build.run(study, Request(), executor=InProcess())
    found, _ = ladder(study)
    names = [scores.out_of_fold.rung.name for scores in found.scores]
    assert names == ["ct-fm", "clinical + embedding", "clinical + embedding, fused"]
    told = "clinical is left out: none of its 1 columns tells the 90 cases apart"
    assert told in found.remarks
    with pytest.raises(InvalidDataError, match=told) as caught:
        ablate.run(study, choice=Choice(only=("clinical",)), tracker=InMemoryTracker())
    assert "hnmets features show" in caught.value.__notes__[0]


def test_every_rung_scores_the_same_patients_once_per_repeat(study: Study) -> None:
    found, _ = ladder(study)
    rungs = [scores.out_of_fold for scores in found.scores]
    assert [r.rung.name for r in rungs] == [
        "clinical",
        "ct-fm",
        "clinical + embedding",
        "clinical + embedding, fused",
    ]
    assert {r.predictions.patient_ids for r in rungs} == {rungs[0].predictions.patient_ids}
    assert rungs[0].predictions.n == 85  # two scans of one patient are one patient
    for rung in rungs:
        assert rung.predictions.risk.shape == rung.folds.shape == rung.thresholds.shape == (2, 85)
        assert {tuple(np.unique(folds)) for folds in rung.folds} == {(0, 1, 2)}
        np.testing.assert_array_equal(rung.folds, rungs[0].folds)
        assert rung.n_fits == 6


def test_what_tells_is_found_and_noise_is_chance(study: Study) -> None:
    found, _ = ladder(study)
    auc = {scores.out_of_fold.rung.name: scores.measures["auc"] for scores in found.scores}
    told, noise = auc["clinical"], auc["ct-fm"]
    assert isinstance(told, Estimate)
    assert isinstance(noise, Estimate)
    assert told.low > 0.8
    assert noise.low < 0.5 < noise.high


def test_a_ladder_is_the_same_twice(study: Study) -> None:
    first, second = (ladder(study)[0].as_json() for _ in range(2))
    assert {**first, "run": ""} == {**second, "run": ""}


def test_every_rung_and_every_fold_is_a_run_below_the_ladder(study: Study) -> None:
    found, tracker = ladder(study)
    parents = {
        key: kept.run.parent
        for key, kept in tracker.runs.items()
        if kept.run.tags["kind"] != Kind.CONTROL
    }
    rungs = [key for key, parent in parents.items() if parent == found.run]
    folds = [key for key, parent in parents.items() if parent in rungs]
    assert (len(rungs), len(folds), len(parents)) == (4, 4 * 2 * 3, 1 + 4 + 24)
    assert all("auc" in tracker.runs[key].values for key in rungs)
    assert all("auc" not in tracker.runs[key].values for key in folds)
    scored = [tracker.runs[key].values for key in folds]
    assert sum(values["fold_cases"] for values in scored) == 4 * 2 * 85
    assert all(0 <= values["fold_auc"] <= 1 for values in scored)
    assert {kept.status for kept in tracker.runs.values()} == {"FINISHED"}
    parent = tracker.runs[found.run].run
    assert parent.tags["split_hash"] == found.split.hash[:32]
    assert parent.params["split.folds"] == "3"


def test_runs_keep_their_figures_and_where_they_were_made(study: Study) -> None:
    tracker = InMemoryTracker()
    found = ablate.run(study, tracker=tracker, arguments=["ablate", "--study", str(study.folder)])
    parent = tracker.runs[found.run]
    assert set(parent.artifacts) == {
        *("environment.json", "figures/forest.svg"),  # it has no radiomics to choose from
        *("controls.json", "subgroups.json"),
    }
    assert json.loads(parent.artifacts["environment.json"])["command"] == (
        "hnmets ablate --study '[path]'"
    )
    assert parent.run.tags["python"]
    rungs = [kept for kept in tracker.runs.values() if kept.run.tags["kind"] == Kind.RUNG]
    for rung, scores in zip(rungs, found.scores, strict=True):
        drawn = {name for name in rung.artifacts if name.startswith("figures/")}
        expected = {"figures/roc.svg", "figures/decision.svg"}
        if not isinstance(scores.calibration.curve, NotEstimable):
            expected.add("figures/calibration.svg")
        assert drawn == expected
        # Each shows its own rung, not the headline.
        view = rung.run.params["view"]
        assert f": {view}</text>" in rung.artifacts["figures/roc.svg"].decode()
    assert [rung.run.params["has embedding"] for rung in rungs] == ["no", "yes", "yes", "yes"]
    starts = [rung.run.at for rung in rungs]
    assert starts == sorted(starts, reverse=True)  # lists show the newest first


def test_no_run_names_a_case_or_a_patient(study: Study) -> None:
    _, tracker = ladder(study)
    told = repr([kept.run for kept in tracker.runs.values()])
    artifacts = b"".join(
        content for kept in tracker.runs.values() for content in kept.artifacts.values()
    )
    assert "HN-0" not in told + artifacts.decode()
    assert "P0" not in told + artifacts.decode()
    assert str(study.folder) not in told + artifacts.decode()


def test_a_feature_that_is_the_outcome_stops_the_ladder(study: Study, tmp_path: Path) -> None:
    rows = [line.split(",") for line in (tmp_path / "cohort.csv").read_text().splitlines()[1:]]
    copy = "\n".join(["id,score", *(f"{row[0]},{row[3]}" for row in rows)]) + "\n"
    (tmp_path / "copy.csv").write_text(copy)
    request = ImportRequest(
        table=tmp_path / "copy.csv",
        name="copied",
        kind="table",
        case_column="id",
        despite="a test of the next guard",
    )
    features_import.run(study, request)
    with pytest.raises(InvalidDataError, match="copied"):
        ladder(study)


def test_too_few_events_to_learn_from_are_refused_with_the_reason(tmp_path: Path) -> None:
    # The training part of either fold holds one of the two patients with the event.
    rows = [f"HN-{n},P{n},{50 + n},{int(n < 2)}" for n in range(10)]
    few = load_study(write(tmp_path, toml=STUDY, rows=["id,patient,age,dm", *rows]), environ={})
    features_build.run(few, Request(), executor=InProcess())
    with pytest.raises(InvalidDataError, match="no patient was scored in every repeat") as refused:
        ladder(few)
    assert "1 patient with the event and 4 without" in str(refused.value)


def test_a_study_without_an_outcome_has_no_ladder(study: Study, tmp_path: Path) -> None:
    (tmp_path / "bare.toml").write_text(STUDY.replace('[outcome]\nevent = "dm"\n', ""))
    bare = load_study(tmp_path / "bare.toml", environ={})
    with pytest.raises(InvalidDataError, match="has no outcome") as caught:
        ladder(bare)
    assert "[outcome]" in caught.value.__notes__[0]


def test_the_report_says_what_the_ladder_found(study: Study, tmp_path: Path) -> None:
    found, _ = ladder(study)
    page = report.run(study, tmp_path / "report.html").read_text()
    assert "Research use only" in page
    auc = found.scores[-1].measures["auc"]
    assert isinstance(auc, Estimate)
    assert f'value="{auc.value!r}"' in page
    assert page.count("<svg") >= 4
    told = from_json(found.findings.read_text())
    assert told.headline == "clinical + embedding, fused"
    assert (told.flow.read, told.flow.included, told.flow.patients) == (CASES, CASES, 85)
    assert [rung.auc for rung in told.rungs] == [s.measures["auc"] for s in found.scores]
    assert {absent.stage.value for absent in told.absent} >= {"size only", "radiomics"}


def test_a_rung_that_was_not_asked_for_is_not_said_to_lack_features(
    study: Study, tmp_path: Path
) -> None:
    ablate.run(study, choice=Choice(only=("clinical + embedding",)), tracker=InMemoryTracker())
    page = report.run(study, tmp_path / "report.html").read_text()
    assert "The rung fusion was not run: it was not asked for." in page
    assert "The rung radiomics was not run: the store holds no features for it." in page


def test_chosen_columns_are_told_from_those_that_every_model_is_given(tmp_path: Path) -> None:
    made = every_modality(tmp_path)
    own = study_of(made.folder / "study.toml", selection__top=2, split__folds=5)
    tracker = InMemoryTracker()
    found = ablate.run(own, tracker=tracker)
    assert "figures/frequency.svg" in tracker.runs[found.run].artifacts
    (selection,) = from_json(found.findings.read_text()).selections
    fused = found.scores[-1].out_of_fold
    chosen = [{c for c in fold if c.startswith("radiomics.")} for fold in fused.chosen]
    assert [len(columns) for columns in chosen] == [2] * 5
    # Two of four columns in each fold.
    assert (selection.candidates, selection.folds) == (4, 5)
    shares = {feature.name: feature.frequency for feature in selection.features}
    assert shares == selection_frequency(chosen)
    assert sum(shares.values()) == pytest.approx(2)
    assert shares["radiomics.tumour.x0"] == 1
    assert selection.stability == selection_stability(chosen, 4)
    given = {feature.name.split(".")[0] for feature in selection.given}
    assert given == {"clinical", "size", "embedding"}
    assert {feature.frequency for feature in selection.given} == {1.0}


def test_the_number_of_columns_is_the_median_of_the_folds(study: Study, tmp_path: Path) -> None:
    # A column that is 1 in one case alone goes wherever this case is not learned from.
    rows = [f"HN-{n:03d},{n % 7},{int(n == 3)}" for n in range(CASES)]
    (tmp_path / "rare.csv").write_text("\n".join(["id,common,rare", *rows]) + "\n")
    table = tmp_path / "rare.csv"
    request = ImportRequest(table=table, name="rare", kind="table", case_column="id")
    features_import.run(study, request)
    own = study_of(study.folder / "study.toml", split__folds=5, split__repeats=1)
    choice = Choice(only=("rare",))
    found = ablate.run(own, choice=choice, tracker=InMemoryTracker())
    counts = sorted(len(columns) for columns in found.scores[-1].out_of_fold.chosen)
    assert counts == [1, 2, 2, 2, 2]
    assert from_json(found.findings.read_text()).main.n_selected == 2


def test_a_variable_is_said_to_be_filled_in_where_it_lacks_values_alone(tmp_path: Path) -> None:
    ages = ["" if n in {4, 9} else 50 + n % 9 for n in range(60)]
    sexes = ["", *("MF"[n % 2] for n in range(59))]
    pairs = enumerate(zip(ages, sexes, strict=True))
    rows = [f"HN-{n},P{n},{age},{sex},60,{n % 3 // 2}" for n, (age, sex) in pairs]
    more = """
[clinical.sex]
column = "sex"
type = "category"
known_at = "baseline"
values = { female = ["F"], male = ["M"] }

[clinical.weight]
column = "weight"
type = "number"
known_at = "baseline"
"""
    file = write(tmp_path, toml=STUDY + more, rows=["id,patient,age,sex,weight,dm", *rows])
    own = load_study(file, environ={})
    features_build.run(own, Request(), executor=InProcess())
    told = from_json(ladder(own)[0].findings.read_text())
    assert {row.variable: (row.missing, row.handling) for row in told.missing} == {
        "age": (2, "median of the training part"),
        "sex": (1, "a category of its own"),
        "weight": (0, "nothing was missing"),
    }


def test_the_version_of_the_program_stands_once_in_the_lineage(study: Study) -> None:
    lineage = from_json(ladder(study)[0].findings.read_text()).lineage
    assert lineage.code_version
    assert lineage.code_version not in lineage.environment.values()


def test_a_run_is_found_by_the_beginning_of_its_key(study: Study, tmp_path: Path) -> None:
    first, second = ladder(study)[0], ladder(study)[0]
    assert first.run != second.run
    asked = report.run(study, tmp_path / "first.html", asked=first.run[:6])
    newest = report.run(study, tmp_path / "newest.html")
    assert asked.exists()
    assert newest.exists()
    with pytest.raises(UsageError, match="no run 'zzz'") as caught:
        report.run(study, tmp_path / "none.html", asked="zzz")
    assert "none for the newest" in caught.value.__notes__[0]


def recipe(name: str, kind: str, *columns: str) -> Recipe:
    return Recipe(name=name, kind=kind, columns=columns or ("x",))


FULL = [
    recipe("clinical", "clinical", "age", "sex", "hpv"),
    recipe("size.tumour", "size"),
    recipe("radiomics.tumour", "radiomics"),
    recipe("radiomics.ring", "radiomics"),
    recipe("embedding.both", "embedding"),
    recipe("embedding.tumour", "embedding"),
]


def test_the_ladder_goes_from_little_to_much_and_fuses_last() -> None:
    rungs = rungs_of(FULL, Choice())
    assert [rung.name for rung in rungs[:3]] == ["size", "clinical", "clinical + size"]
    assert rungs[-2].name == "all"
    assert rungs[-1].name == "all, fused"
    assert rungs[-1].recipes == rungs[-2].recipes
    assert rungs[-1].recipes == (
        "clinical",
        "size.tumour",
        "radiomics.tumour",
        "radiomics.ring",
        "embedding.both",
    )
    assert len({(rung.recipes, rung.model) for rung in rungs}) == len(rungs)


def test_the_published_study_sees_the_tumour_the_embedding_and_the_clinic() -> None:
    rungs = {rung.name: rung for rung in rungs_of(FULL, Choice(preset="paper"))}
    assert list(rungs) == ["radiomics", "Swin embedding", "clinical", "fused"]
    assert rungs["fused"].recipes == ("radiomics.tumour", "embedding.both", "clinical")
    assert rungs["fused"].features == (
        "radiomics.tumour",
        "embedding.both",
        "clinical.age",
        "clinical.sex",
    )
    assert {rung.model for rung in rungs.values()} == {"fusion-paper"}


def test_the_published_head_is_fully_connected_behind_64_components() -> None:
    (fused,) = (r for r in rungs_of(FULL, Choice(preset="paper")) if r.name == "fused")
    found = fused.candidate(SelectionParameters(), HeadParameters(hidden=(7,)))
    assert isinstance(found.model, Fusion)
    assert found.model.parameters.hidden == (128, 32)
    assert found.model.parameters.sparsity == 0
    (compression,) = (s for s in found.chain.steps if isinstance(s, PrincipalComponents))
    assert compression.components == 64


def test_published_figures_stand_beside_the_rungs_that_there_are(study: Study) -> None:
    found = ablate.run(study, choice=Choice(preset="paper"), tracker=InMemoryTracker())
    assert found.published is None  # clinical alone has no published figure
    names = [rung.name for rung in rungs_of(FULL, Choice(preset="paper"))]
    shown = PAPER.among(names)
    assert shown is not None
    assert [(f.measure, f.value) for f in shown.figures if f.rung == "fused"] == [
        ("auc", 0.803),
        ("accuracy", 0.752),
        ("sensitivity", 0.730),
        ("specificity", 0.758),
    ]


def test_every_model_is_tried_on_everything_and_the_reference_comes_last() -> None:
    rungs = rungs_of(FULL, Choice(preset="models"))
    assert [rung.name for rung in rungs[:3]] == ["size", "clinical", "clinical + size"]
    assert {rung.model for rung in rungs[3:]} == set(MODELS) == set(get_args(ModelName))
    assert len({rung.features for rung in rungs[3:]}) == 1
    assert rungs[-1].name == "all, fusion"


AGE = View(name="age", features=("clinical.age",), model="logistic")


def test_a_view_of_the_study_stands_first_and_sees_its_columns_alone() -> None:
    rungs = rungs_of(FULL, Choice(views=(AGE,)))
    assert (rungs[0].name, rungs[0].recipes) == ("age", ("clinical",))
    assert rungs[0].features == ("clinical.age",)
    assert [rung.name for rung in rungs[1:]] == [rung.name for rung in rungs_of(FULL, Choice())]


def test_a_family_in_a_view_means_all_of_its_feature_sets() -> None:
    view = View(name="rad + age", features=("radiomics", "clinical.age"))
    assert rung_of(view, FULL).recipes == ("radiomics.tumour", "radiomics.ring", "clinical")


def test_a_view_of_what_the_store_lacks_is_refused_with_what_it_has() -> None:
    view = View(name="typo", features=("clinical.agee",))
    with pytest.raises(InvalidDataError, match=r"no 'clinical\.agee'; it has clinical, size"):
        rung_of(view, FULL)


def test_one_rung_is_evaluated_behind_those_that_it_has_to_beat() -> None:
    rungs = rungs_of(FULL, Choice(views=(AGE,), only=("age", "radiomics ring")))
    names = [rung.name for rung in rungs]
    assert names == ["size", "clinical", "clinical + size", "age", "radiomics ring"]
    assert rungs_of(FULL, Choice(only=("size",)))[-1].name == "size"
    with pytest.raises(UsageError, match="no rung 'radiomic'") as caught:
        rungs_of(FULL, Choice(only=("radiomic",)))
    assert "radiomics tumour" in caught.value.__notes__[0]


def test_features_without_a_name_are_called_by_what_they_are() -> None:
    (view,) = views_of(("clinical.age", "radiomics"), model="boosting")
    assert view.name == "clinical.age + radiomics, boosting"
    assert views_of((), model="boosting") == ()
    with pytest.raises(UsageError, match="no model 'svm'"):
        views_of(("clinical",), model="svm")


def test_each_rung_is_held_against_the_one_before(study: Study) -> None:
    choice = Choice(only=("clinical", "ct-fm"))
    found = ablate.run(study, choice=choice, tracker=InMemoryTracker())
    first, second = found.scores
    assert first.against_previous is None
    contrast = second.against_previous
    assert contrast is not None
    assert (contrast.against, contrast.verdict.adjusted_p) == ("clinical", None)
    delta, over_folds = contrast.comparison.bootstrap, contrast.over_folds
    assert isinstance(delta, Estimate)
    assert isinstance(over_folds, Estimate)
    assert delta.high < 0
    assert found.dataset.view.name == "ct-fm"
    told = from_json(found.findings.read_text())
    assert told.headline == "ct-fm"
    assert told.main.versus_previous is not None
    assert told.main.versus_previous.fold_delta == over_folds


def test_a_view_sees_as_much_as_its_columns_tell(study: Study) -> None:
    view = View(name="clinical.age, logistic", features=("clinical.age",), model="logistic")
    whole = View(name="whole", features=("clinical",), model="logistic")
    choice = Choice(views=(view, whole), only=(view.name, whole.name))
    found = ablate.run(study, choice=choice, tracker=InMemoryTracker())
    risks = {s.out_of_fold.rung.name: s.out_of_fold.predictions.risk for s in found.scores}
    # Age is the only column of the clinical features.
    np.testing.assert_array_equal(risks[view.name], risks["whole"])


def test_later_patients_are_held_out_by_the_date_that_the_study_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = [
        f"HN-{n:03d},HN-{n:03d},{50 + 20 * rng.random() + 9 * (n % 3 == 0):.1f},{int(n % 3 == 0)},"
        f"{2005 + n // 12}-03-0{1 + n % 9}"
        for n in range(120)
    ]
    table = "\n".join(["id,patient,age,dm,day", *rows]) + "\n"
    (tmp_path / "cohort.csv").write_text(table)
    timed = STUDY.replace("folds = 2\nrepeats = 1", 'kind = "time"\nsince = "2013"')
    dated = '\n[clinical.diagnosed]\ncolumn = "day"\ntype = "date"\n'
    (tmp_path / "study.toml").write_text(timed + dated)
    undated = load_study(tmp_path / "study.toml", environ={})
    features_build.run(undated, Request(), executor=InProcess())
    with pytest.raises(InvalidDataError, match=r"needs \[evaluation\] date"):
        ladder(undated)
    study = load_study(tmp_path / "study.toml", environ={}, flags={"evaluation.date": "diagnosed"})
    found, _ = ladder(study)
    scored = found.scores[0].out_of_fold.predictions.patient_ids
    assert scored == tuple(f"HN-{n:03d}" for n in range(96, 120))


def test_a_store_without_features_has_no_rung() -> None:
    with pytest.raises(InvalidDataError, match="no features to learn from"):
        rungs_of([], Choice())


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no preset 'papers'") as caught:
        preset_of("papers")
    assert "ladder, models, paper" in caught.value.__notes__[0]


def test_a_case_that_lacks_a_modality_is_left_out_or_kept_and_counted(
    study: Study, tmp_path: Path
) -> None:
    lines = (tmp_path / "noise.csv").read_text().splitlines()
    (tmp_path / "part.csv").write_text("\n".join(lines[:-9]) + "\n")
    request = ImportRequest(
        table=tmp_path / "part.csv", name="part", kind="embedding", case_column="id"
    )
    features_import.run(study, request)
    complete = ladder(study)[0].as_json()
    assert complete["left_out"] == {"lacks part": 9}
    file = study.folder / "study.toml"
    kept = load_study(file, environ={}, flags={"evaluation.policy": "modality-missing"})
    found = ladder(kept)[0].as_json()
    assert (found["cases"], found["left_out"], found["lacking"]) == (CASES, {}, {"part": 9})


@pytest.mark.slow
def test_the_command_keeps_its_runs_beside_the_study(study: Study) -> None:
    file = study.folder / "study.toml"
    done = hnmets("ablate", "-s", file, "--json", MLFLOW_TRACKING_URI="")
    assert done.returncode == 0, done.stderr
    ladder = json.loads(done.stdout)
    assert next(rung["rung"] for rung in ladder["ladder"]) == "clinical"
    assert ladder["events"] > 0
    assert (study.folder / "mlflow.db").exists()
    assert (study.folder / "store" / "splits").exists()


def test_a_cohort_whose_truth_nobody_knows_has_no_oracle(study: Study, tmp_path: Path) -> None:
    foreign = {"generator_version": 1, "oracle_auc": {"latents": {}, "modality_sees": {}}}
    (tmp_path / "truth.json").write_text(json.dumps({**foreign, "patients": []}))
    found, _ = ladder(study)
    assert found.oracles == {}
    assert all(rung.oracle_auc is None for rung in from_json(found.findings.read_text()).rungs)
