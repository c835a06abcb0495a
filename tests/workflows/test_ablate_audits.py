"""What a ladder is asked beside its numbers: does it need the image, is it steady, is it luck?"""

import json
from pathlib import Path

import numpy as np
import pytest

from feature_store.quarantine import Quarantined
from feature_store.store import FeatureStore
from hnmets.domain.errors import Code
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.execution.local import InProcess
from hnmets.reporting.audit import Control
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.naming import Kind
from hnmets.workflows import ablate, features_build, report
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.ablation_plan import prepare
from hnmets.workflows.contour_stability import reliability
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.workbench import workbench_of
from tests.builders_cohorts import hnmets, write_cohort
from tests.builders_numbers import (
    CASES,
    PATIENTS,
    RADIOMICS,
    SIZE,
    STUDY,
    latent,
    moved,
    noise,
    store,
    study_of_numbers,
    telling,
)
from tests.builders_studies import study_of

RUNG, HEADLINE = "radiomics tumour", "radiomics, fused"
N_FEATURES = 104


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Radiomics tell the outcome, sizes do not."""
    made = study_of_numbers(tmp_path)
    store(made, telling())
    return made


def ladder(study: Study, choice: Choice | None = None) -> Ablation:
    return ablate.run(study, choice=choice, tracker=InMemoryTracker())


def controls(found: Ablation, name: str) -> dict[str | None, Control]:
    return {c.rung: c for c in found.audits.controls if c.name == name}


def estimate(measured: object) -> Estimate:
    assert isinstance(measured, Estimate)
    return measured


def page(study: Study, folder: Path) -> str:
    return report.run(study, folder / "report.html").read_text()


def test_a_control_that_says_as_much_as_the_image_is_told_in_the_report(
    study: Study, tmp_path: Path
) -> None:
    store(study, telling(), control="shuffled-roi")
    found = ladder(study)
    asked = controls(found, "shuffled-roi")
    assert list(asked) == [RUNG, HEADLINE]
    real = {s.out_of_fold.rung.name: s.measures["auc"] for s in found.scores}
    for name, control in asked.items():
        # The same features in the same folds with the same seeds: the same risks.
        assert control.auc == real[name]
        lead = estimate(control.lead)
        assert (lead.value, lead.low, lead.high) == (0, 0, 0)
        assert control.is_beaten is False
        assert control.what == "the voxels inside the tumour were shuffled"
    html = page(study, tmp_path)
    assert "do not show that it needs what this control lacks" in html
    for rung in (RUNG, HEADLINE):
        assert f"{rung} is not shown to be better than shuffled-roi" in html


def test_a_control_that_destroyed_the_signal_is_beaten(study: Study, tmp_path: Path) -> None:
    store(study, noise(), control="shuffled-roi")
    control = controls(ladder(study), "shuffled-roi")[RUNG]
    auc, lead = estimate(control.auc), estimate(control.lead)
    assert auc.low < 0.5 < auc.high
    assert lead.low > 0
    assert (lead.n, lead.events) == (auc.n, auc.events)
    html = page(study, tmp_path)
    assert 'id="unbeaten"' not in html
    assert "No negative control was run" not in html


def test_the_image_is_held_against_the_size_of_the_tumour(study: Study, tmp_path: Path) -> None:
    (control,) = controls(ladder(study), "size").values()
    assert (control.kind, control.rung, control.is_beaten) == ("size alone", RUNG, True)
    # No image was destroyed: the report must not sound as if one had been.
    assert "No negative control was run" in page(study, tmp_path)


def test_the_masks_alone_stand_beside_the_embedding_that_saw_the_image(tmp_path: Path) -> None:
    deep = '[rings.ring]\naround = "tumour"\n\n[embedding]\npreset = "ci"\nvariants = ["both"]\n'
    study = study_of_numbers(tmp_path, toml=f"{STUDY}\n{deep}")
    embedding = "embedding.both"
    values = np.random.default_rng(2).normal(size=(CASES, width_of(study, embedding)))
    store(study, {embedding: values + latent()[:, None]})
    # The masks tell as much as the image: what the network was given beside them is not needed.
    store(study, {embedding: values + latent()[:, None]}, control="mask-only")
    store(study, {embedding: values}, control="blank")
    found = ladder(study)
    rung = "embedding both"
    alone, blank = controls(found, "mask-only")[rung], controls(found, "blank")[rung]
    assert alone.what == "all voxels are air, so that only the masks are left"
    assert (alone.is_beaten, blank.is_beaten) == (False, True)
    assert f"{rung} is not shown to be better than mask-only" in page(study, tmp_path)


def width_of(study: Study, name: str) -> int:
    (recipe,) = (recipe for recipe in workbench_of(study).recipes if recipe.name == name)
    return len(recipe.columns)


def test_every_control_is_a_run_below_the_ladder_with_its_numbers(study: Study) -> None:
    store(study, noise(), control="shuffled-roi")
    tracker = InMemoryTracker()
    found = ablate.run(study, tracker=tracker)
    below = [kept for kept in tracker.runs.values() if kept.run.parent == found.run]
    asked = {kept.run.name: kept for kept in below if kept.run.tags["kind"] == Kind.CONTROL.value}
    assert list(asked) == [
        f"size alone: size against {RUNG}",
        f"negative control: shuffled-roi against {RUNG}",
        f"negative control: shuffled-roi against {HEADLINE}",
        "shortcut: centre and acquisition",
        "shortcut: centre from radiomics",
    ]
    for control, kept in zip(found.audits.controls, asked.values(), strict=True):
        # The run table ranks rungs by `auc`: a control must not stand among them.
        assert "auc" not in kept.values
        if isinstance(control.auc, NotEstimable):
            assert kept.run.tags["control_auc_not_estimable"] == control.auc.reason
            continue
        assert kept.values["control_auc"] == round(control.auc.value, 4)
        assert kept.values["control_auc_low"] == round(control.auc.low, 4)
        assert kept.values["lead"] == round(estimate(control.lead).value, 4)
        assert (kept.run.params["what"], kept.status) == (control.what, "FINISHED")


def test_both_sides_of_a_control_are_the_patients_who_have_it(study: Study) -> None:
    store(study, telling(), control="shuffled-roi", without=6)
    control = controls(ladder(study), "shuffled-roi")[RUNG]
    assert "6 cases lack it and are left out on both sides" in control.what
    lead = estimate(control.lead)
    # Fitted again without them, the real image is the control again.
    assert (lead.n, lead.value, lead.low, lead.high) == (len(set(PATIENTS)) - 6, 0, 0, 0)


def test_a_control_that_no_case_of_the_ladder_has_is_not_estimable(study: Study) -> None:
    store(study, noise(), control="shuffled-roi", without=CASES - 1)
    left = study.folder / "cohort.csv"
    left.write_text("\n".join(left.read_text().splitlines()[:-1]) + "\n")
    store(study, noise(), control="sampled-roi", without=CASES - 3)
    found = ladder(study)
    assert controls(found, "shuffled-roi") == {}
    control = controls(found, "sampled-roi")[RUNG]
    assert isinstance(control.auc, NotEstimable)
    assert isinstance(control.lead, NotEstimable)
    assert control.is_beaten is None


def test_a_control_of_other_settings_is_no_control_of_this_study(
    study: Study, tmp_path: Path
) -> None:
    store(study, telling(), control="shuffled-roi")
    other = study_of(tmp_path, STUDY + "\n[controls]\nseed = 1\n")
    assert controls(ladder(other), "shuffled-roi") == {}
    store(other, noise(), control="shuffled-roi")
    assert controls(ladder(other), "shuffled-roi")[RUNG].is_beaten
    assert controls(ladder(study), "shuffled-roi")[RUNG].is_beaten is False


def test_rows_of_a_file_that_was_replaced_are_in_no_ladder_and_in_no_control(
    study: Study,
) -> None:
    store(study, noise(), control="shuffled-roi")
    before = prepare(study, Choice())
    labels = {
        "HN-000": next(r.label for r in before.dataset.recipes if r.name == RADIOMICS),
        "HN-001": before.altered[0].recipes[RADIOMICS].label,
    }
    with FeatureStore.open(study.store_folder) as opened:
        opened.quarantine(
            Quarantined(case_id=case, code=Code.ROW_STALE, stage=label, detail="-")
            for case, label in labels.items()
        )
        opened.publish()
    after = prepare(study, Choice())
    assert list(after.dataset.left_out) == ["HN-000"]
    shown = after.altered[0].shown(after.dataset, [RADIOMICS])
    assert shown.left_out == {
        **after.dataset.left_out,
        "HN-001": "lacks the altered recipes of shuffled-roi",
    }


def test_controls_and_perturbations_leave_the_ladder_bit_for_bit(study: Study) -> None:
    before = ladder(study)
    store(study, noise(), control="shuffled-roi")
    store(study, moved(telling(), 0.5, seed=2), perturb="grow-1mm")
    after = ladder(study, Choice(permutations=1))
    assert before.dataset.digest == after.dataset.digest
    for first, second in zip(before.scores, after.scores, strict=True):
        np.testing.assert_array_equal(
            first.out_of_fold.predictions.risk, second.out_of_fold.predictions.risk
        )
        assert first.measures == second.measures


def test_features_that_another_contour_leaves_as_they_are_agree_fully(
    study: Study, tmp_path: Path
) -> None:
    for name in ("grow-1mm", "shift-1mm"):
        store(study, telling(), perturb=name)
    found = ladder(study)
    assert set(found.audits.reliability) == set(found.dataset.rows.columns)
    assert {estimate(icc).value for icc in found.audits.reliability.values()} == {1.0}
    stability = found.audits.stability
    assert stability is not None
    assert stability.perturbations == ("grow-1mm", "shift-1mm")
    assert (stability.features, stability.reproducible) == (N_FEATURES, N_FEATURES)
    assert (stability.patients, stability.rung) == (len(set(PATIENTS)), HEADLINE)
    assert stability.risk_spread_worst == pytest.approx(0, abs=1e-12)
    assert "grow-1mm, shift-1mm" in page(study, tmp_path)


def test_features_that_move_with_the_contour_move_the_risk(study: Study) -> None:
    steady = {RADIOMICS: telling()[RADIOMICS], SIZE: moved(telling(), 9, seed=4)[SIZE]}
    store(study, steady, perturb="grow-1mm")
    small = ladder(study).audits
    icc = {name: estimate(each).value for name, each in small.reliability.items()}
    assert all((value == 1) == name.startswith(RADIOMICS) for name, value in icc.items())
    assert small.stability is not None
    assert small.stability.reproducible == 100
    assert small.stability.risk_spread == 0  # the headline does not see the size
    store(study, moved(telling(), 2.0, seed=5), perturb="noise-10hu")
    large = ladder(study).audits.stability
    assert large is not None
    assert large.reproducible < 10
    assert large.risk_spread is not None
    assert large.risk_spread_worst is not None
    assert 0 < large.risk_spread < large.risk_spread_worst < 0.5


def test_agreement_is_that_of_the_patients_with_a_value_under_every_contour(study: Study) -> None:
    changed = telling()
    changed[RADIOMICS][:10, 0] = np.nan
    changed[RADIOMICS][:, 1] = np.nan
    store(study, changed, perturb="grow-1mm", without=3)
    plan = prepare(study, Choice())
    found = reliability(plan.dataset, plan.altered)
    assert found is not None
    radiomics = [each for name, each in found.features.items() if name.startswith(RADIOMICS)]
    first, second, third = radiomics[:3]
    everybody = len(set(PATIENTS))
    assert estimate(third).n == found.patients == everybody - 3
    assert estimate(first).n == everybody - 10
    assert isinstance(second, NotEstimable)
    assert found.reproducible == N_FEATURES - 1


def test_a_rung_with_an_image_feature_that_was_not_moved_is_not_called_steady(
    study: Study,
) -> None:
    store(study, {SIZE: moved(telling(), 1.0, seed=6)[SIZE]}, perturb="grow-1mm")
    stability = ladder(study).audits.stability
    assert stability is not None
    assert (stability.features, stability.rung) == (4, "size")


def test_what_was_asked_is_kept_beside_the_run_and_names_nobody(study: Study) -> None:
    store(study, noise(), control="shuffled-roi")
    store(study, telling(), perturb="grow-1mm")
    tracker = InMemoryTracker()
    found = ablate.run(study, choice=Choice(permutations=1), tracker=tracker)
    kept = tracker.runs[found.run].artifacts
    assert sorted(name for name in kept if name.endswith(".json")) == [
        "controls.json",
        "environment.json",
        "feature_reliability.json",
        "permutation.json",
        "stability.json",
    ]
    assert len(json.loads(kept["feature_reliability.json"])) == N_FEATURES
    told = [(c["kind"], c["rung"]) for c in json.loads(kept["controls.json"])]
    held = [rung for kind, rung in told if kind != "shortcut"]
    assert held == [RUNG, RUNG, HEADLINE]
    assert not any(word in b"".join(kept.values()) for word in (b"HN-", b"P0"))


@pytest.mark.slow
def test_destroyed_images_and_moved_contours_stand_in_what_the_program_shows(
    tmp_path: Path,
) -> None:
    cohort = write_cohort(tmp_path / "c", SyntheticCohort(cases=24, seed=7, scale=0.25))
    settings = """
[radiomics]
regions = ["tumour"]

[radiomics.parameters]
images = ["Original"]

[split]
folds = 2
repeats = 1
"""
    cohort.write_text(cohort.read_text(encoding="utf-8") + settings, encoding="utf-8")
    made = load_study(cohort)
    for request in (
        Request(only=("cohort", "outcome", "size", "radiomics")),
        Request(only=("size", "radiomics"), control="shuffled-roi"),
        Request(only=("size", "radiomics"), perturb="grow-1mm"),
    ):
        assert not features_build.run(made, request, executor=InProcess()).failures
    asked = ("--study", cohort, "--permutations", "2")
    shown = hnmets("ablate", *asked, MLFLOW_TRACKING_URI="", COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    for word in ("shuffled-roi", "size alone", "grow-1mm", "2 shuffles of the outcome"):
        assert word in shown.stdout
    html = page(made, tmp_path)
    assert html.count("the voxels inside the tumour were shuffled") == 2
    assert 'of <data value="108">108</data> features' in html
