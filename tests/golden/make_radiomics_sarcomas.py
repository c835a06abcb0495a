"""Write radiomics_sarcomas.npz again, what PyRadiomics says of large real tumours (10 minutes).

HNMETS_REAL_DATA=… python -m tests.golden.make_radiomics_sarcomas
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Volume
from hnmets.extractors.pyradiomics_engine import measure
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from tests.extractors.fast_radiomics.real_cases import (
    SARCOMAS,
    download_lungs,
    published_case,
    sarcoma,
    sarcoma_study,
)

GOLDEN = Path(__file__).with_name("radiomics_sarcomas.npz")
LUNG_SETTINGS = {
    "box": RadiomicsParameters(),
    "image": RadiomicsParameters(spacing_mm="native", filter_extent="image"),
}
ORIGIN = """PyRadiomics' values.
STS_…: tumour and 5 mm ring of doi.org/10.7937/K9/TCIA.2015.7GO2GSKS (CC BY 3.0), read and set up
by examples/sts/study.toml. lung1, lung2: data/ of the source distribution of pyradiomics-bhklab
3.1.4 (BSD-3-Clause); "box" by default, "image" on the native grid with filters that see all.
Regenerate: HNMETS_REAL_DATA=... python -m tests.golden.make_radiomics_sarcomas"""


@dataclass(frozen=True, kw_only=True)
class Golden:
    """PyRadiomics' values by region (`STS_008 ring`, `lung1 image`), then by feature."""

    origin: str
    made_with: str
    values: dict[str, dict[str, float]]


def load() -> Golden:
    """Read the stored values."""
    with np.load(GOLDEN, allow_pickle=False) as file:
        columns = file["columns"].tolist()
        rows = zip(file["keys"].tolist(), file["values"].tolist(), strict=True)
        return Golden(
            origin=str(file["origin"]),
            made_with=str(file["made_with"]),
            values={key: dict(zip(columns, row, strict=True)) for key, row in rows},
        )


def _regions(
    real_data: Path, scratch: Path
) -> Iterator[tuple[str, Volume, NDArray[np.bool_], RadiomicsParameters]]:
    lungs = download_lungs(scratch)
    for name in ("lung1", "lung2"):
        ct, mask = published_case(lungs, name)
        for setting, parameters in LUNG_SETTINGS.items():
            yield f"{name} {setting}", ct, mask, parameters
    study = sarcoma_study(real_data, scratch / "store")
    for case_id in SARCOMAS:
        ct, masks = sarcoma(study, case_id)
        for region, mask in masks.items():
            yield f"{case_id} {region}", ct, mask, study.radiomics.parameters


def main() -> None:
    real_data = Path(os.environ["HNMETS_REAL_DATA"])
    columns = RadiomicsParameters().columns
    rows = {}
    with tempfile.TemporaryDirectory() as scratch:
        for key, ct, mask, parameters in _regions(real_data, Path(scratch)):
            assert parameters.columns == columns
            found = measure(ct, mask, parameters).values
            rows[key] = np.array([found.get(column, np.nan) for column in columns])
    packages = ("pyradiomics-bhklab", "SimpleITK", "PyWavelets", "numpy")
    np.savez_compressed(
        GOLDEN,
        origin=np.array(ORIGIN),
        made_with=np.array(", ".join(f"{name} {version(name)}" for name in packages)),
        keys=np.array(list(rows)),
        columns=np.array(columns),
        values=np.array(list(rows.values())),
    )
    print(GOLDEN.stat().st_size, hashlib.sha256(GOLDEN.read_bytes()).hexdigest())  # noqa: T201


if __name__ == "__main__":
    main()
