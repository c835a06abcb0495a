from dataclasses import replace

import numpy as np
import pytest

from feature_store.recipe import Json
from hnmets.datasets.provenance import trained_on
from hnmets.datasets.suspicion import suspicions
from tests.builders_rows import TEXTURE, dataset_of, seen_by, train_rows

RNG = np.random.default_rng(3)
EVENT = np.arange(60) < 20
NOISE = RNG.normal(size=(60, 4))


def codes(column: np.ndarray) -> list[str]:
    values = np.column_stack([NOISE, column])
    return [f"{s.code} {s.what[:19]}" for s in suspicions(dataset_of(train_rows(values, EVENT)))]


def test_noise_is_not_suspicious() -> None:
    assert codes(RNG.normal(size=60)) == []


@pytest.mark.parametrize("copy", [EVENT * 1.0, 1.0 - EVENT, EVENT * 1e12 + 3])
def test_a_copy_of_the_outcome_is_found(copy: np.ndarray) -> None:
    assert codes(copy) == ["D_OUTCOME_COPY radiomics.tumour.04"]


def test_a_copy_with_a_mistake_or_a_gap_is_found() -> None:
    copy = EVENT * 1.0
    copy[0] = 0
    assert codes(copy) == ["D_OUTCOME_COPY radiomics.tumour.04"]
    copy[[0, 30]] = np.nan
    assert codes(copy) == ["D_OUTCOME_COPY radiomics.tumour.04"]


def test_a_column_that_separates_alone_is_found_in_either_direction() -> None:
    # Spread over three orders of magnitude: no copy, and its AUC is 1 or 0.
    separating = np.where(EVENT, 10.0, 0.01) * np.geomspace(1, 30, 60)
    assert codes(separating) == ["D_AUC radiomics.tumour.04"]
    assert codes(-separating) == ["D_AUC radiomics.tumour.04"]


def test_a_strong_but_honest_column_is_not_suspicious() -> None:
    assert codes(EVENT * 1.5 + RNG.normal(size=60)) == []


def test_with_three_events_an_auc_of_one_may_be_chance() -> None:
    values = np.random.default_rng(0).normal(size=(20, 1500))
    assert suspicions(dataset_of(train_rows(values, np.arange(20) < 3))) == ()


def test_one_class_or_no_column_is_not_suspicious() -> None:
    assert suspicions(dataset_of(train_rows(NOISE, np.zeros(60, dtype=bool)))) == ()
    assert suspicions(dataset_of(train_rows(np.empty((60, 0)), EVENT))) == ()


def test_a_vector_under_two_patients_is_found() -> None:
    values = NOISE.copy()
    values[40] = values[7]
    rows = train_rows(values, EVENT)
    (found,) = suspicions(dataset_of(rows, [TEXTURE]))
    assert str(found).startswith(
        "D_DUPLICATE: radiomics.tumour is the same for different patients: C007, C040."
    )
    one_patient = replace(
        rows, patient_ids=tuple("C007" if p == "C040" else p for p in rows.patient_ids)
    )
    assert "D_DUPLICATE" not in {s.code for s in suspicions(dataset_of(one_patient, [TEXTURE]))}


def test_patients_without_a_region_or_a_modality_do_not_share_a_vector() -> None:
    values = NOISE.copy()
    values[40:50] = 0
    values[50:] = np.nan
    assert suspicions(dataset_of(train_rows(values, EVENT), [TEXTURE])) == ()


def test_patients_of_one_age_and_sex_do_not_share_a_vector() -> None:
    values = np.tile([[60.0, 1.0]], (60, 1))
    clinical = replace(TEXTURE, name="clinical", kind="clinical", columns=("age", "sex"))
    assert suspicions(dataset_of(train_rows(values, EVENT, "clinical"), [clinical])) == ()


def test_cases_of_one_patient_with_two_outcomes_are_found() -> None:
    rows = train_rows(NOISE, EVENT)
    rows = replace(rows, patient_ids=("P", *rows.patient_ids[1:-1], "P"))
    (found,) = suspicions(dataset_of(rows))
    assert found.code == "D_OUTCOME_DIFFERS"
    assert "outcomes: C000, C059. " in str(found)
    assert "outcomes (2 cases). " in str(found.anonymous)
    assert found.anonymous.cases == ()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"imported": True}, ["D_PROVENANCE"]),
        ({"imported": True, **trained_on(["P1"])}, []),
        ({}, []),
    ],
)
def test_an_imported_embedding_of_unknown_training_is_found(
    parameters: dict[str, Json], expected: list[str]
) -> None:
    dataset = dataset_of(train_rows(NOISE, EVENT, "embedding.both"), [seen_by(**parameters)])
    assert [suspicion.code for suspicion in suspicions(dataset)] == expected
