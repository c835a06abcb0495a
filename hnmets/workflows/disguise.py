"""Predictors that are the outcome under an innocent name."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.case import Case
from hnmets.sources.clinical import ClinicalRule
from hnmets.sources.feature_table import FeatureTable, outcome_like


def disguised_outcomes(
    cases: Sequence[Case], predictors: Mapping[str, ClinicalRule]
) -> tuple[str, ...]:
    """Return a warning for every predictor that tells the outcome apart too well."""
    told = [case for case in cases if case.outcome is not None]
    table = FeatureTable(
        case_ids=tuple(case.case_id for case in told),
        columns=tuple(predictors),
        values={name: _values(told, name, rule) for name, rule in predictors.items()},
    )
    event_of = {case.case_id: case.outcome.event for case in told if case.outcome}
    return tuple(
        f"THE OUTCOME IN DISGUISE? clinical.{name} (column '{predictors[name].column}') {how}; "
        "leave out its known_at unless it was known before treatment"
        for name, how in outcome_like(table, event_of).items()
    )


def _values(
    cases: Sequence[Case], name: str, rule: ClinicalRule
) -> NDArray[np.float64] | tuple[str | None, ...]:
    values = [case.clinical.get(name) for case in cases]
    if rule.type == "number":
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return tuple(None if value is None else str(value) for value in values)
