"""The study file of a synthetic cohort."""

from collections.abc import Iterable

from hnmets.sources.synthetic.anatomy import Organ
from hnmets.sources.synthetic.person import ORDERED_VARIABLES, SUBSITES

_HEAD = """\
# A synthetic cohort: nothing in it speaks about patients. Its truth is in truth.json.
[study]
name = "synthetic"
store = "store"

[cohort]
manifest = "cohort.csv"
case = "case_id"
patient = "patient_id"
centre = {{ column = "centre" }}
image = "nifti/{{case}}_CT_image.nii.gz"

[regions.tumour]
mask = "nifti/{{case}}_gtv.nii.gz"
label = 1

[regions.nodes]
mask = "nifti/{{case}}_gtv.nii.gz"
label = 2
optional = true
# Their size alone is measured, and a small node has one.
minimum_voxels = 1
minimum_slices = 1

# Organs are regions too, once they are named here, with mask nifti/{{case}}_organs.nii.gz and
# one of these labels: {organs}.

[rings.ring]
around = "tumour"
distance_mm = 5

[clinical.age]
column = "age"
type = "number"
unit = "years"
known_at = "baseline"
"""
_TAIL = """
[outcome]
name = "distant metastasis"
event = "distant_metastasis"
event_time = "dm_time_days"
follow_up = "follow_up_days"

[embedding]
preset = "ci"
"""


def study_text() -> str:
    """Return the study file; it is the same for every synthetic cohort."""
    organs = ", ".join(f"{organ.value} {organ.name.lower()}" for organ in Organ)
    categories = {name: variable.values for name, variable in ORDERED_VARIABLES.items()}
    categories["subsite"] = SUBSITES
    variables = (_category(name, values) for name, values in categories.items())
    return "\n".join((_HEAD.format(organs=organs), *variables)) + _TAIL


def _category(column: str, values: Iterable[str]) -> str:
    pairs = ", ".join(f'{value} = ["{value}"]' for value in values)
    return (
        f'[clinical.{column}]\ncolumn = "{column}"\ntype = "category"\nvalues = {{ {pairs} }}\n'
        'missing = ["", "unknown"]\nknown_at = "baseline"\n'
    )
