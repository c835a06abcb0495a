"""Shortcuts through the real folds: a planted one is flagged, one that knows nothing is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.execution.local import InProcess
from hnmets.reporting.audit import Control
from hnmets.reporting.findings_json import from_json
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, features_build, report
from hnmets.workflows.acquisition import HEADER, circumstances, header_facts, sources_of
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Rung
from hnmets.workflows.on_case import ignore
from hnmets.workflows.procedure import Procedure
from hnmets.workflows.shortcut_audit import ShortcutAudit
from hnmets.workflows.study import Study, load_study
from tests.builders_rows import EMBEDDING, case, dataset_of, subjects_in, train_rows
from tests.builders_studies import TABLES_ONLY, study_of, write
from tests.builders_volumes import write_nifti
from tests.reporting.html_page import Page

PATIENTS = 120
BOOTSTRAP = Bootstrap(draws=200)
FOLDS = SplitParameters(repeats=1, inner_folds=3)
SCANNER = """\
[clinical.scanner]
column = "scanner"
type = "category"
values = { one = [], two = [] }
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of(tmp_path, TABLES_ONLY)


def outcome() -> NDArray[np.bool_]:
    return np.arange(PATIENTS) % 3 == 0


def embedded(*, tells: NDArray[np.bool_], centres: tuple[str | None, ...]) -> Dataset:
    """An embedding of two columns of which the first tells something by two deviations."""
    values = np.random.default_rng(1).normal(size=(PATIENTS, 2))
    values[:, 0] += 2 * tells
    rows = train_rows(values, outcome(), EMBEDDING.name)
    return replace(dataset_of(rows, [EMBEDDING]), centres=centres)


def controls(
    study: Study, dataset: Dataset, cohort: Cohort | None = None, split: Split | None = None
) -> dict[str, Control]:
    """Audit the embedding's own model on a dataset."""
    split = split or draw(subjects_in(dataset.rows), FOLDS)
    rung = Rung(name="embedding", recipes=(EMBEDDING.name,), model="elastic-net")
    procedure = Procedure(
        split=split,
        selection=study.selection,
        head=study.head,
        seed=split.parameters.seed,
        bootstrap=BOOTSTRAP,
        on_fold=ignore,
    )
    (headline,) = procedure.scored(dataset, [rung]).rungs
    audit = ShortcutAudit(
        study=study,
        cohort=cohort or cohort_of(dataset),
        dataset=dataset,
        procedure=procedure,
        headline=headline,
    )
    return {control.name: control for control in audit.controls()}


def cohort_of(dataset: Dataset, **clinical: list[str]) -> Cohort:
    cases = [
        case(case_id, **{name: values[row] for name, values in clinical.items()})
        for row, case_id in enumerate(dataset.rows.case_ids)
    ]
    return Cohort(cases=tuple(cases), rows_read=len(cases))


def turns(*centres: str | None) -> tuple[str | None, ...]:
    """Centres that take turns in blocks of three, so that they tell nothing of the outcome."""
    return tuple(centres[n // 3 % len(centres)] for n in range(PATIENTS))


def test_a_centre_that_decides_the_outcome_rivals_the_best_model(study: Study) -> None:
    at = tuple("A" if event else "B" for event in outcome())
    found = controls(study, embedded(tells=outcome(), centres=at))
    control = found["centre"]
    assert control.what == "the outcome, from centre alone"
    assert isinstance(control.auc, Estimate)
    assert isinstance(control.lead, Estimate)
    assert control.auc.value == 1.0
    assert control.lead.high <= 0
    assert control.is_beaten is False
    assert control.above_chance
    # The embedding tells the outcome, and so the centre.
    seen = found["B from embedding"]
    assert seen.lead is None
    assert seen.above_chance


def test_a_centre_that_knows_nothing_is_led_by_the_model(study: Study) -> None:
    found = controls(study, embedded(tells=outcome(), centres=turns("A", "B", "C")))
    control = found["centre"]
    assert not control.above_chance
    assert isinstance(control.lead, Estimate)
    assert control.lead.low > 0
    assert control.is_beaten
    recognised = {name: c.above_chance for name, c in found.items() if c is not control}
    assert recognised == {f"{centre} from embedding": False for centre in "ABC"}


def test_an_embedding_that_shows_one_centre_tells_it_and_not_the_others(study: Study) -> None:
    at = turns("A", "B", "C")
    found = controls(study, embedded(tells=np.array(at) == "A", centres=at))
    shown = found["A from embedding"].auc
    assert isinstance(shown, Estimate)
    # Φ(2 / √2) = 0.921
    assert shown.low < 0.921 < shown.high
    assert found["A from embedding"].what == ("whether the centre is A, from embedding.both alone")


def test_of_two_centres_one_tells_of_both_and_small_ones_are_not_asked_for(study: Study) -> None:
    dataset = embedded(tells=outcome(), centres=turns("A", "B"))
    assert list(controls(study, dataset)) == ["centre", "A from embedding"]
    few = tuple("C" if n < 19 else at for n, at in enumerate(turns("A", "B")))
    assert list(controls(study, replace(dataset, centres=few)))[1:] == [
        "B from embedding",
        "A from embedding",
    ]


@pytest.mark.parametrize(
    ("centres", "reason"),
    [
        (("A",) * PATIENTS, "one centre only"),
        ((None,) * PATIENTS, "the centre was not recorded"),
        (("A",) * 19 + ("B",) * (PATIENTS - 19), "needs a centre of 20 patients"),
    ],
)
def test_without_two_large_centres_the_question_is_not_estimable(
    study: Study, centres: tuple[str | None, ...], reason: str
) -> None:
    auc = controls(study, embedded(tells=outcome(), centres=centres))["centre from embedding"].auc
    assert isinstance(auc, NotEstimable)
    assert auc.reason.startswith(reason)


def test_patients_of_two_centres_are_nobody_s_and_all_their_scans_stay_together(
    study: Study,
) -> None:
    dataset = embedded(tells=outcome(), centres=turns("A", "B"))
    patients = list(dataset.rows.patient_ids)
    patients[3], patients[7] = patients[0], patients[1]  # A and B; A and A
    dataset = replace(dataset, rows=replace(dataset.rows, patient_ids=tuple(patients)))
    *_, control = controls(study, dataset).values()
    auc = control.auc
    assert isinstance(auc, Estimate)
    assert auc.n == PATIENTS - 2 - 1


def test_where_nothing_is_known_of_the_acquisition_it_says_so(study: Study) -> None:
    found = controls(study, embedded(tells=outcome(), centres=(None,) * PATIENTS))
    auc = found["centre and acquisition"].auc
    assert isinstance(auc, NotEstimable)
    assert auc.reason.startswith("nothing is known")


def test_a_scanner_of_the_table_is_a_shortcut_too(tmp_path: Path) -> None:
    study = study_of(tmp_path, TABLES_ONLY + SCANNER)
    dataset = embedded(tells=outcome(), centres=(None,) * PATIENTS)
    scanner = ["one" if event else "two" for event in outcome()]
    control = controls(study, dataset, cohort_of(dataset, scanner=scanner))["acquisition"]
    assert control.what == "the outcome, from scanner alone"
    assert control.is_beaten is False


def test_a_header_tells_spacing_size_and_kind_of_voxel_in_the_order_of_the_patient(
    tmp_path: Path,
) -> None:
    path = write_nifti(
        tmp_path / "ct.nii.gz", np.zeros((4, 6, 5), np.int16), spacing_mm=(3.0, 0.9, 0.9)
    )
    assert header_facts(path) == pytest.approx((3.0, 0.9, 4, 6, 5, 1))
    # The same volume, stored with the slices along the first axis.
    ras = np.array([[0, 0, -0.9, 0], [0, -0.9, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])
    turned = write_nifti(tmp_path / "turned.nii", np.zeros((5, 6, 4), np.float32), affine=ras)
    assert header_facts(turned) == pytest.approx((3.0, 0.9, 4, 6, 5, 0))


def test_what_is_the_same_for_everybody_or_cannot_be_read_tells_nothing(
    study: Study, tmp_path: Path
) -> None:
    dataset = embedded(tells=outcome(), centres=("A",) * PATIENTS)
    thick = write_nifti(tmp_path / "a.nii", np.zeros((4, 5, 5), np.int16), spacing_mm=(5, 1, 1))
    thin = write_nifti(tmp_path / "b.nii", np.zeros((4, 5, 5), np.int16), spacing_mm=(2, 1, 1))
    images = [thick, thin, None, tmp_path / "gone.nii"]
    cases = [replace(one, image=images[n % 4]) for n, one in enumerate(cohort_of(dataset).cases)]
    cohort = Cohort(cases=tuple(cases), rows_read=PATIENTS)
    rows = circumstances(study, cohort, dataset, with_centre=True)
    spacing = rows.values[:4, rows.columns.index("slice spacing")]
    np.testing.assert_array_equal(spacing, [5, 2, np.nan, np.nan])
    assert set(sources_of(rows)) <= set(HEADER)


def test_a_split_by_centre_asks_for_the_acquisition_alone(study: Study) -> None:
    dataset = embedded(tells=outcome(), centres=turns("A", "B"))
    subjects = [
        replace(subject, centre=centre)
        for subject, centre in zip(subjects_in(dataset.rows), dataset.centres, strict=True)
    ]
    split = draw(subjects, SplitParameters(kind="centre", inner_folds=3))
    control = controls(study, dataset, split=split)["acquisition"]
    assert isinstance(control.auc, NotEstimable)
    assert control.auc.reason.startswith("nothing is known")


STUDY = """\
[study]
name = "two centres"

[cohort]
manifest = "cohort.csv"
case = "id"
centre = { column = "centre" }

[clinical.age]
column = "age"
type = "number"
known_at = "baseline"

[outcome]
event = "dm"

[split]
folds = 3
repeats = 1

[evaluation]
draws = 200
"""


def test_a_report_shows_subgroups_and_warns_of_a_shortcut(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = ["id,centre,age,dm"]
    for n in range(90):
        event = n % 3 == 0
        centre = "east" if event == (rng.random() < 0.9) else "west"
        lines.append(f"HN-{n:03d},{centre},{rng.normal(60, 10):.1f},{int(event)}")
    study = load_study(write(tmp_path, toml=STUDY, rows=lines), environ={})
    features_build.run(study, Request(), executor=InProcess())
    found = ablate.run(study, tracker=InMemoryTracker())
    (control,) = found.audits.controls
    assert (control.name, control.is_beaten) == ("centre", False)
    told = from_json(found.findings.read_text())
    assert told.controls == (control,)
    assert list(dict.fromkeys(row.variable for row in told.subgroups)) == ["centre", "age"]
    page = Page.of(report.run(study, tmp_path / "report.html").read_text())
    assert "the outcome, from centre alone" in page.by_id("control-table").text
    assert "east" in page.by_id("subgroup-table").text
    assert "Not shown to be better than a shortcut" in page.by_id("summary").text
    limits = page.by_id("limits").text
    assert "the model may have learned that" in limits
    assert "No negative control was run" in limits
