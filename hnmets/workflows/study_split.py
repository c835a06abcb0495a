"""The folds of a study: drawn over everybody in its store, and frozen there."""

from feature_store.snapshot import Snapshot
from hnmets.datasets.split import Split
from hnmets.datasets.split_file import frozen_split
from hnmets.datasets.subjects import subjects_of
from hnmets.domain.errors import InvalidDataError
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.study import Study


def study_split(study: Study, cohort: Cohort, snapshot: Snapshot) -> Split:
    """Return the study's split; it is drawn and frozen the first time.

    Parameters
    ----------
    snapshot
        Of the study's own cases.

    Raises
    ------
    InvalidDataError
        If a split by time has no dates to go by, or the cohort has changed since.
    """
    subjects = subjects_of(snapshot, dates=_dates(study, cohort))
    return frozen_split(study.store_folder, subjects, study.split)


def _dates(study: Study, cohort: Cohort) -> dict[str, str]:
    """Return the date by which a split goes, of the cases that have one."""
    if study.split.kind != "time":
        return {}
    variable = study.evaluation.date
    rule = study.clinical.get(variable)
    if rule is None or rule.type != "date":
        raise InvalidDataError(
            f"a split by time needs [evaluation] date, not '{variable}'"
        ).with_note("Name a variable of [clinical] of type `date`.")
    dates = {case.case_id: case.clinical[variable] for case in cohort.cases}
    return {case_id: str(date) for case_id, date in dates.items() if date is not None}
