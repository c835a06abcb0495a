import numpy as np

from hnmets.reporting.missed import worst_cases
from tests.builders_predictions import patients, predictions

CASES = {patient: (patient.lower(),) for patient in patients(5)}


def test_the_farthest_on_the_wrong_side_come_first() -> None:
    scored = predictions([1, 1, 0, 0, 1], [0.1, 0.3, 0.9, 0.6, 0.8])
    found = worst_cases(scored, 0.5, cases=CASES, flags={})
    assert [(miss.kind, miss.case_ids[0], miss.risk) for miss in found] == [
        ("false negative", "hn-0000", 0.1),
        ("false negative", "hn-0001", 0.3),
        ("false positive", "hn-0002", 0.9),
        ("false positive", "hn-0003", 0.6),
    ]


def test_each_patient_is_held_against_the_threshold_of_its_fold() -> None:
    scored = predictions([1, 0, 0, 0, 0], [0.4, 0.4, 0.1, 0.1, 0.1])
    limits = np.array([0.3, 0.5, 0.5, 0.5, 0.5])
    assert worst_cases(scored, limits, cases=CASES, flags={}) == ()


def test_repeats_are_averaged() -> None:
    scored = predictions([1, 0, 0, 0, 0], [[0.2, 0, 0, 0, 0], [0.4, 0, 0, 0, 0]])
    (miss,) = worst_cases(scored, 0.5, cases=CASES, flags={})
    np.testing.assert_allclose([miss.risk, miss.threshold], [0.3, 0.5])


def test_a_patient_lost_before_the_horizon_was_not_missed() -> None:
    scored = predictions([0, 0, 0, 0, 1], [0.9, 0.1, 0.1, 0.1, 0.9], weight=[0, 1, 1, 1, 1])
    assert worst_cases(scored, 0.5, cases=CASES, flags={}) == ()


def test_the_list_names_cases_with_what_quality_control_saw() -> None:
    scored = predictions([1, 0, 0, 0, 0], [0.1] * 5)
    cases = CASES | {"HN-0000": ("left", "right")}
    (miss,) = worst_cases(scored, 0.5, cases=cases, flags={"right": ["metal"]})
    assert (miss.case_ids, miss.flags) == (("left", "right"), ("metal",))
