"""Shuffled outcomes: what the whole procedure finds where nothing is."""

from pathlib import Path

import numpy as np
import pytest

from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.reporting.audit import Permutation
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate
from hnmets.workflows.ablation_plan import prepare
from hnmets.workflows.label_permutation import label_permutation, shuffled_among_patients
from hnmets.workflows.ladder import Choice, Rung
from hnmets.workflows.on_case import ignore
from hnmets.workflows.procedure import Procedure
from hnmets.workflows.study import Study
from tests.builders_numbers import CASES, RADIOMICS, STUDY, noise, store, study_of_numbers, telling


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Radiomics tell the outcome."""
    made = study_of_numbers(tmp_path)
    store(made, telling())
    return made


def permuted(study: Study, model: str, permutations: int) -> Permutation:
    """Shuffle the outcomes of one rung of the study's ladder."""
    plan = prepare(study, Choice())
    procedure = Procedure(
        split=plan.split,
        selection=study.selection,
        head=study.head,
        seed=0,
        bootstrap=Bootstrap(draws=100),
        on_fold=ignore,
    )
    rung = Rung(name="asked", recipes=(RADIOMICS,), model=model)
    (real,) = procedure.scored(plan.dataset, [rung]).rungs
    found = label_permutation(
        procedure, plan.dataset, real, permutations=permutations, seed=study.split.seed
    )
    assert found is not None
    return found


def test_a_real_signal_is_above_every_shuffle(study: Study) -> None:
    found = permuted(study, "elastic-net", 9)
    assert found.p_value == 1 / 10
    assert found.auc > 0.75
    assert 0.4 < found.mean_auc < 0.6


def test_on_noise_the_real_outcome_is_one_shuffle_among_others(tmp_path: Path) -> None:
    study = study_of_numbers(tmp_path)
    store(study, noise())
    found = permuted(study, "elastic-net", 19)
    assert 0.4 < found.mean_auc < 0.6
    assert found.p_value > 0.1


def test_folds_by_centre_have_their_outcomes_shuffled_within_centres(tmp_path: Path) -> None:
    by_centre = STUDY.replace("folds = 3\nrepeats = 1", 'kind = "centre"').replace(
        "[regions", 'centre = { pattern = "^HN-0([0-9])" }\n\n[regions', 1
    )
    study = study_of_numbers(tmp_path, toml=by_centre)
    values = telling()
    # All that the one feature knows is the centre: within centres it ranks nobody.
    values[RADIOMICS][:] = np.repeat(np.arange(CASES) // 10, 100).reshape(CASES, 100)
    store(study, values)
    found = permuted(study, "elastic-net", 4)
    assert (found.mean_auc, found.p_value) == (found.auc, 1)


def test_patients_swap_all_their_cases_with_patients_of_as_many(study: Study) -> None:
    dataset = prepare(study, Choice()).dataset
    left = dict.fromkeys(dataset.rows.case_ids[:30], "north")
    shuffled = shuffled_among_patients(dataset, np.random.default_rng(0), strata=left)
    real, moved_rows = dataset.rows, shuffled.rows
    assert (moved_rows.patient_ids, moved_rows.columns) == (real.patient_ids, real.columns)
    np.testing.assert_array_equal(moved_rows.outcome, real.outcome)
    same = (real.values == moved_rows.values[:, None]).all(axis=2)
    source = same.argmax(axis=1).tolist()
    assert sorted(source) == list(range(CASES))
    assert sorted(source[:30]) == list(range(30))
    # The only patient with two scans has nobody to swap with.
    assert source[-2:] == [CASES - 2, CASES - 1]
    assert sum(a != b for a, b in enumerate(source)) > CASES // 2


def test_shuffles_are_counted_and_their_share_of_all_folds_is_told(study: Study) -> None:
    told: list[tuple[str, int, int]] = []
    ablate.run(
        study,
        tracker=InMemoryTracker(),
        choice=Choice(permutations=2),
        on_fold=lambda *each: told.append(each),
    )
    shuffles = [each for each in told if each[0].startswith("shuffle")]
    assert [name for name, *_ in shuffles] == ["shuffle 1"] * 4 + ["shuffle 2"] * 4
    assert [done for _, done, _ in shuffles] == [0, 1, 2, 3, 3, 4, 5, 6]
    assert {total for *_, total in shuffles} == {6}
