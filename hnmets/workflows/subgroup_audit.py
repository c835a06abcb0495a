"""The headline rung among women and men, centres, sites and stages."""

from collections.abc import Collection

from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.subgroups import subgroup_table
from hnmets.reporting.subgroup import SubgroupRow, subgroup_rows
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.grouping import CENTRE, groups_of, order_of
from hnmets.workflows.study import Study


def audit_subgroups(
    study: Study,
    cohort: Cohort,
    case_ids: Collection[str],
    predictions: Predictions,
    bootstrap: Bootstrap,
) -> tuple[SubgroupRow, ...]:
    """Evaluate the groups of every variable that the study divides by.

    Groups are read from the cohort: a variable that describes patients and predicts nothing
    divides them too.

    Parameters
    ----------
    case_ids
        Whom the predictions were made from: only these say to which group a patient belongs.
    predictions
        Out of fold, or of patients of elsewhere.
    """
    scored = set(case_ids)
    cases = [case for case in cohort.cases if case.case_id in scored]
    rows: list[SubgroupRow] = []
    for name in study.subgroups:
        is_centre = name == CENTRE and study.cohort.centre is not None
        order = () if is_centre else order_of(study.clinical[name])
        groups = groups_of(name, cases, predictions.patient_ids, is_centre=is_centre)
        rows += subgroup_rows(name, subgroup_table(predictions, groups, bootstrap, order=order))
    return tuple(rows)
