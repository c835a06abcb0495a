"""Real tumours: PyRadiomics at work, or its values where it takes too long for a test."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hnmets.domain.geometry import Volume
from hnmets.extractors.fast_radiomics.engine import measure
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.workflows.study import Study
from tests.extractors.fast_radiomics.comparison import (
    assert_measured_as_by_pyradiomics,
    deviations,
)
from tests.extractors.fast_radiomics.phantoms import Mask
from tests.extractors.fast_radiomics.real_cases import (
    SARCOMAS,
    published_case,
    sarcoma,
    sarcoma_study,
)
from tests.golden.make_radiomics_sarcomas import LUNG_SETTINGS, Golden, load

SETTINGS = {
    "box": (RadiomicsParameters(), 1e-9),
    "32 bins": (RadiomicsParameters(bin_count=32), 1e-9),
    "float32": (RadiomicsParameters(voxel_type="float32"), 1e-9),
    # The Laplacian of Gaussian leaves out what is far away: 1e-6 of it.
    "whole image": (RadiomicsParameters(spacing_mm="native", filter_extent="image"), 1e-6),
}


@pytest.fixture(scope="module")
def golden() -> Golden:
    return load()


def assert_equals_golden(
    ct: Volume, mask: Mask, parameters: RadiomicsParameters, golden: dict[str, float], rel: float
) -> None:
    found = measure(ct, mask, parameters).values
    mine = {column: found.get(column, np.nan) for column in parameters.columns}
    assert deviations(mine, golden, rel=rel) == {}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["brain1", "brain2", "breast1"])
def test_brains_and_a_breast_equal_pyradiomics(name: str, setting: str, real_data: Path) -> None:
    ct, mask = published_case(real_data / "pyradiomics", name)
    parameters, rel = SETTINGS[setting]
    if setting == "whole image" and name != "breast1":
        # PyRadiomics filters 1.6 million voxels for each image.
        parameters = replace(parameters, log_sigmas_mm=(2.0,))
    assert_measured_as_by_pyradiomics(ct, mask, parameters, rel=rel)


@pytest.mark.slow
@pytest.mark.parametrize("setting", LUNG_SETTINGS)
@pytest.mark.parametrize("name", ["lung1", "lung2"])
def test_lungs_equal_what_pyradiomics_measured(
    name: str, setting: str, lungs: Path, golden: Golden
) -> None:
    ct, mask = published_case(lungs, name)
    parameters = LUNG_SETTINGS[setting]
    values = golden.values[f"{name} {setting}"]
    rel = 1e-6 if setting == "image" else 1e-9
    assert_equals_golden(ct, mask, parameters, values, rel)


@pytest.fixture(scope="module")
def study(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return sarcoma_study(real_data, tmp_path_factory.mktemp("sts") / "store")


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("case_id", SARCOMAS)
def test_sarcomas_and_their_rings_equal_what_pyradiomics_measured(
    case_id: str, study: Study, golden: Golden
) -> None:
    parameters = study.radiomics.parameters
    ct, masks = sarcoma(study, case_id)
    for region in ("tumour", "ring"):
        values = golden.values[f"{case_id} {region}"]
        assert_equals_golden(ct, masks[region], parameters, values, 1e-9)


def test_the_stored_values_say_where_they_come_from(golden: Golden) -> None:
    assert len(golden.values) == 2 * 15 + 2 * len(LUNG_SETTINGS)
    assert "pyradiomics-bhklab 3.1.4" in golden.made_with
    assert "python -m tests.golden.make_radiomics_sarcomas" in golden.origin
