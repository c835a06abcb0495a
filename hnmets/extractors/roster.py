"""Whose case it is: what a patient-wise or centre-wise split of the features needs."""

from feature_store.recipe import Recipe
from feature_store.row import Row
from hnmets.domain.case import Case
from hnmets.extractors.clinical import NOT_RECORDED, digest_of


class Roster:
    """Patient and centre of a case; never a predictor."""

    @property
    def recipe(self) -> Recipe:
        """Identity in the store."""
        return Recipe(
            name="cohort", kind="cohort", columns=("patient_id", "centre"), types=("text", "text")
        )

    def row(self, case: Case) -> Row:
        """Return the case's row for the store; its input is the values themselves."""
        values = (case.patient_id, case.centre)
        return Row(
            case_id=case.case_id,
            fingerprint=self.recipe.fingerprint,
            input_digest=digest_of(values),
            values=values,
            reasons={} if case.centre else {"centre": NOT_RECORDED},
        )
