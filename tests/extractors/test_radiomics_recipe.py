import subprocess
import sys
from dataclasses import replace

import pytest

from hnmets.domain.region import DrawnRegion, RingRegion
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_parameters import RadiomicsParameters

RULE = DrawnRegion(mask="{case}_gtv.nii.gz")
ALL = Radiomics(region="tumour", rule=RULE)
CHANGED = [
    replace(ALL, region="nodes"),
    replace(ALL, rule=replace(RULE, parts="largest")),
    replace(ALL, rule=RingRegion(), around=RULE),
    replace(ALL, rule=RingRegion(distance_mm=3.0), around=RULE),
    replace(ALL, rule=RingRegion(), around=replace(RULE, label=2)),
    *(
        replace(ALL, parameters=RadiomicsParameters(**setting))
        for setting in (
            {"bin_width_hu": 10.0},
            {"spacing_mm": 2.0},
            {"spacing_mm": "native"},
            {"interpolator": "Linear"},
            {"pad_voxels": 5},
            {"voxel_array_shift_hu": 0.0},
            {"log_sigmas_mm": (1.0,)},
            {"wavelet": "haar"},
            {"images": ("Original",)},
        )
    ),
]


def test_every_changed_setting_is_another_recipe() -> None:
    fingerprints = {radiomics.recipe.fingerprint for radiomics in (ALL, *CHANGED)}
    assert len(fingerprints) == 1 + len(CHANGED)


def test_the_same_setting_written_otherwise_is_the_same_recipe() -> None:
    again = RadiomicsParameters(
        bin_width_hu=25, spacing_mm=(1, 1, 1), log_sigmas_mm=(1, 2, 3, 4, 5)
    )
    other = replace(ALL, parameters=again)
    assert other.recipe.fingerprint == ALL.recipe.fingerprint
    shuffled = replace(ALL.recipe, parameters=dict(reversed(list(ALL.recipe.parameters.items()))))
    assert shuffled.fingerprint == ALL.recipe.fingerprint


@pytest.mark.parametrize("library", ["pyradiomics-bhklab", "SimpleITK", "PyWavelets"])
def test_another_library_version_is_another_recipe(library: str) -> None:
    bumped = replace(ALL.recipe, libraries={**ALL.recipe.libraries, library: "99.0"})
    assert bumped.fingerprint != ALL.recipe.fingerprint


def test_the_recipe_needs_no_engine() -> None:
    script = (
        "import sys\n"
        "from hnmets.domain.region import DrawnRegion\n"
        "from hnmets.extractors.radiomics import Radiomics\n"
        "Radiomics(region='tumour', rule=DrawnRegion(mask='')).recipe.fingerprint\n"
        "print({'radiomics', 'SimpleITK', 'scipy', 'pywt'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
