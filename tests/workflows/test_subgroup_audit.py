"""The subgroup table of a cohort: whom it divides, in which order, and what it hides."""

from pathlib import Path

import numpy as np
import pytest

from hnmets.domain.case import Case
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.predictions import Predictions
from hnmets.reporting.subgroup import SubgroupRow
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.study import Study
from hnmets.workflows.subgroup_audit import audit_subgroups
from tests.builders_rows import case, train_rows
from tests.builders_studies import TABLES_ONLY, study_of

CLINICAL = """\
centre = { column = "hospital" }

[clinical.age]
column = "age"
type = "number"
known_at = "baseline"

[clinical.hpv]
column = "p16"
type = "category"
values = { positive = ["+"], negative = ["-"] }

[clinical.therapy]
column = "therapy"
type = "category"
values = { surgery = [], radiation = [] }
"""
# The first hundred have the event; odd numbers are of centre A.
PATIENTS = 200


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of(tmp_path, TABLES_ONLY + CLINICAL)


def cases() -> list[Case]:
    return [
        case(
            f"C{n:03d}",
            event=n < 100,
            centre="A" if n % 2 else "B",
            age=45.0 if n % 10 == 0 else 70.0 if n % 2 else 80.0,
            hpv=None if n % 4 == 0 else "positive" if n % 20 == 1 else "negative",
            therapy="surgery" if n % 2 else "radiation",
        )
        for n in range(PATIENTS)
    ]


def audited(study: Study) -> list[SubgroupRow]:
    everybody = cases()
    outcome = np.arange(PATIENTS) < 100
    rows = train_rows(np.zeros((PATIENTS, 1)), outcome)
    # Right in centre A, by chance in centre B.
    risk = np.random.default_rng(0).random(PATIENTS)
    risk[1::2] = np.where(outcome[1::2], 0.9, 0.1)
    predictions = Predictions(patient_ids=rows.patient_ids, outcome=outcome, risk=risk)
    cohort = Cohort(cases=tuple(everybody), rows_read=PATIENTS)
    return list(audit_subgroups(study, cohort, rows.case_ids, predictions, Bootstrap(draws=200)))


def test_the_usual_variables_divide_by_default_and_in_the_order_of_the_study(
    study: Study,
) -> None:
    found = [(row.variable, row.group, row.n) for row in audited(study)]
    assert found == [
        ("centre", "A", 100),
        ("centre", "B", 100),
        ("age", "under 50", 20),
        ("age", "65 to 74", 100),
        ("age", "75 and over", 80),
        # Ten of 150 are positive, five of them with the event.
        ("hpv", "positive", 10),
        ("hpv", "negative", 140),
        ("hpv", "not recorded", 50),
    ]


def test_a_group_in_which_the_model_fails_is_seen(study: Study) -> None:
    first, second = audited(study)[:2]
    assert isinstance(first.auc, Estimate)
    assert isinstance(second.auc, Estimate)
    assert first.auc.value == 1.0
    assert second.auc.low < 0.5 < second.auc.high


def test_few_events_are_not_estimable_and_do_not_follow_from_the_others(study: Study) -> None:
    rows = {row.group: row for row in audited(study) if row.variable == "hpv"}
    assert rows["positive"].why_not.startswith("not estimable: fewer than 10 patients")
    hidden = [group for group, row in rows.items() if row.events is None]
    assert hidden == ["positive", "not recorded"]
    assert isinstance(rows["negative"].auc, Estimate)


def test_a_study_says_what_divides_it_even_what_predicts_nothing(tmp_path: Path) -> None:
    chosen = TABLES_ONLY + CLINICAL + '[evaluation]\nsubgroups = ["therapy"]\n'
    found = audited(study_of(tmp_path, chosen))
    assert [(row.group, row.n, row.events) for row in found] == [
        ("surgery", 100, 50),
        ("radiation", 100, 50),
    ]


def test_a_case_that_was_not_scored_says_nothing_of_its_patient(study: Study) -> None:
    """The second scan of a patient, without features, claims another centre."""
    stray = Case(case_id="C000b", patient_id="C000", centre="A", clinical={})
    everybody = (*cases(), stray)
    outcome = np.arange(PATIENTS) < 100
    rows = train_rows(np.zeros((PATIENTS, 1)), outcome)
    predictions = Predictions(
        patient_ids=rows.patient_ids, outcome=outcome, risk=np.full(PATIENTS, 0.5)
    )
    found = audit_subgroups(
        study,
        Cohort(cases=everybody, rows_read=PATIENTS + 1),
        rows.case_ids,
        predictions,
        Bootstrap(draws=200),
    )
    assert [row.n for row in found if row.variable == "centre"] == [100, 100]
