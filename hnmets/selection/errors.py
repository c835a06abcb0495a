"""Why a step cannot be fitted or applied."""

from collections.abc import Sequence

from hnmets.domain.errors import InvalidDataError


class ColumnsDifferError(InvalidDataError):
    """A fitted step met other columns than those it was fitted on."""

    def __init__(self, step: str, fitted: Sequence[str], met: Sequence[str]) -> None:
        lacking = [name for name in fitted if name not in set(met)]
        foreign = [name for name in met if name not in set(fitted)]
        if lacking or foreign:
            how = f"{len(lacking)} lacking, {len(foreign)} unknown: {(lacking + foreign)[0]}"
        else:
            how = "in another order"
        super().__init__(f"{step} was fitted on {len(fitted)} columns, met {len(met)}: {how}")
        self.add_note("Use rows of the feature view that the step was fitted on.")


class AbsentValuesError(InvalidDataError):
    """A step that needs every value met one that is absent or infinite."""

    def __init__(self, step: str, column: str, case_id: str) -> None:
        super().__init__(f"{step}: {column} has no finite value in case {case_id}")
        self.add_note("Put an imputation before this step.")
