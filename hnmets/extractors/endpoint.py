"""The outcome as a feature set, so that the store alone is enough to train from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from feature_store.recipe import Json, Recipe
from feature_store.row import Row
from hnmets.domain.case import Case
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import Scalar
from hnmets.extractors.clinical import NOT_RECORDED, digest_of


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Event and time of a case.

    Parameters
    ----------
    definition
        How the study defines the event: column, horizon, rule for censored patients. Another
        definition is another recipe.
    """

    definition: Mapping[str, Json] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """Identity in the store; `died` is a column where the study tells of deaths."""
        deaths = self._knows_deaths
        return Recipe(
            name="outcome",
            kind="outcome",
            columns=("event", "time_days", "died") if deaths else ("event", "time_days"),
            types=("bool", "double", "bool") if deaths else ("bool", "double"),
            parameters={"definition": dict(self.definition)},
        )

    def values(self, case: Case) -> tuple[Scalar, ...]:
        """Return (event, time_days, died), the last one where the study tells of deaths.

        A value is None where the table has none.

        Raises
        ------
        CaseError
            If the case has no outcome.
        """
        if case.outcome is None:
            raise CaseError(Code.OUTCOME_MISSING, "the case has no outcome")
        told = case.outcome
        died = (told.died,) if self._knows_deaths else ()
        return told.event, told.time_days, *died

    @property
    def _knows_deaths(self) -> bool:
        return self.definition.get("death") is not None

    def row(self, case: Case) -> Row:
        """Return the case's row for the store.

        Raises
        ------
        CaseError
            If the case has no outcome.
        """
        values = self.values(case)
        return Row(
            case_id=case.case_id,
            fingerprint=self.recipe.fingerprint,
            input_digest=digest_of(values),
            values=values,
            reasons={
                column: NOT_RECORDED
                for column, value in zip(self.recipe.columns, values, strict=True)
                if value is None
            },
        )
