import csv
from typing import Any

import pytest

from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from tests.golden.make_radiomics_phantom import GOLDEN


def committed_names() -> list[str]:
    with GOLDEN.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [row["feature"] for row in rows]


def test_the_default_settings_give_the_committed_1562_names_in_their_order() -> None:
    names = committed_names()
    assert len(names) == len(set(names)) == 1562
    assert list(RadiomicsParameters().columns) == names


def test_1562_is_14_of_shape_and_86_on_each_of_18_images() -> None:
    columns = RadiomicsParameters().columns
    images = {column.split("_")[0] for column in columns}
    shape = [column for column in columns if "_shape_" in column]
    assert (len(shape), len(images)) == (14, 18)
    for image in images:
        assert sum(c.startswith(f"{image}_") and c not in shape for c in columns) == 86


def test_other_sigmas_give_other_columns() -> None:
    parameters = RadiomicsParameters(images=("Original", "LoG"), log_sigmas_mm=(1.5,))
    assert len(parameters.columns) == 14 + 2 * 86
    assert parameters.columns[-1].startswith("log-sigma-1-5-mm-3D_gldm_")


def test_no_two_names_differ_by_case_alone() -> None:
    columns = RadiomicsParameters().columns
    assert len({column.lower() for column in columns}) == len(columns)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"bin_width_hu": 0.0}, "above 0"),
        ({"spacing_mm": (1.0, -1.0, 1.0)}, "above 0"),
        ({"log_sigmas_mm": (0.0,)}, "above 0"),
        ({"log_sigmas_mm": (1.0, 1)}, "named twice"),
        ({"images": ("Original", "Original")}, "named twice"),
        ({"pad_voxels": -1}, "not be negative"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RadiomicsParameters(**setting)
