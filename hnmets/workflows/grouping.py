"""Patients in groups: by which clinical variables a cohort can be divided, and how."""

from bisect import bisect_right
from collections.abc import Sequence

from hnmets.domain.case import Case
from hnmets.sources.clinical import ClinicalRule

CENTRE = "centre"
AGE = "age"
# Divided by where a study declares them, and nothing else is chosen for it.
USUAL = (
    CENTRE,
    "sex",
    AGE,
    "site",
    "subsite",
    "stage",
    "group_stage",
    "t_stage",
    "n_stage",
    "hpv",
    "p16",
    "scanner",
)
# In completed years; 65 and 75 divide as geriatric oncology does.
AGE_EDGES = (50, 65, 75)
AGE_BANDS = ("under 50", "50 to 64", "65 to 74", "75 and over")
SEVERAL = "differs between scans"


def age_band(years: float) -> str:
    """Return the band of an age.

    Examples
    --------
    >>> age_band(49.9), age_band(50), age_band(64.9), age_band(75)
    ('under 50', '50 to 64', '50 to 64', '75 and over')
    """
    return AGE_BANDS[bisect_right(AGE_EDGES, years)]


def why_no_groups(name: str, rule: ClinicalRule) -> str:
    """Return why a variable divides no cohort; empty where it does.

    Examples
    --------
    >>> why_no_groups("volume", ClinicalRule(column="Volume", type="number"))
    "is a number; only 'age' in years has bands: declare categories"
    """
    if rule.type == "boolean" or (rule.type == "category" and rule.values):
        return ""
    if rule.type == "category":
        return f"has no `values` in [clinical.{name}]: its groups would be whatever was written"
    if rule.type == "number" and name == AGE and rule.unit in {"", "years"}:
        return ""
    return f"is a {rule.type}; only '{AGE}' in years has bands: declare categories"


def order_of(rule: ClinicalRule) -> tuple[str, ...]:
    """Return the groups of a variable in the order in which people read them."""
    if rule.type == "number":
        return (*AGE_BANDS, SEVERAL)
    return (*(("false", "true") if rule.type == "boolean" else rule.values), SEVERAL)


def groups_of(
    name: str, cases: Sequence[Case], patient_ids: Sequence[str], *, is_centre: bool = False
) -> list[str | None]:
    """Return the group of each patient; None where no case of the patient tells.

    A patient's cases are read together: one that does not tell is ignored, of several ages the
    first counts, and categories that contradict each other are a group of their own.

    Parameters
    ----------
    cases
        Of these patients, in any order.
    patient_ids
        Patients in the order that is wanted.
    is_centre
        Whether the centre of the cohort is meant, and no clinical variable.
    """
    known: dict[str, set[float | str]] = {}
    for case in cases:
        value = case.centre if is_centre else case.clinical.get(name)
        if value is not None:
            known.setdefault(case.patient_id, set()).add(value)
    return [_group(known.get(patient, set())) for patient in patient_ids]


def _group(values: set[float | str]) -> str | None:
    if not values:
        return None
    if ages := [value for value in values if isinstance(value, float)]:
        return age_band(min(ages))
    return str(next(iter(values))) if len(values) == 1 else SEVERAL
