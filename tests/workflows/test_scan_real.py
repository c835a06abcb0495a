"""Radiomics by way of DICOM are those by way of the published NIfTI files."""

from pathlib import Path

import numpy as np
import pytest

from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.execution.local import InProcess
from hnmets.sources.dicom.region_rules import parse_rules, read_rules
from hnmets.workflows import cohort_scan, features_build
from hnmets.workflows.cohort_scan import Executors, Request
from hnmets.workflows.features_build import Request as Build
from hnmets.workflows.study import Study, load_study
from tests.builders_dicom import KEY

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
EXAMPLE = Path(__file__).parents[2] / "examples" / "sts" / "study.toml"
# The two smallest of the four.
PATIENTS = ("STS_008", "STS_019")
HERE = Executors(looking=InProcess(), reading=InProcess())
FAMILIES = ("radiomics", "size")


def built(study: Study, cases: tuple[str, ...]) -> Snapshot:
    report = features_build.run(study, Build(only=FAMILIES, cases=cases), executor=InProcess())
    assert not report.failures
    return read_snapshot(study.store_folder)


@pytest.fixture(scope="module")
def by_dicom(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    out = tmp_path_factory.mktemp("dicom") / "cohort"
    request = Request(
        root=real_data / "sts" / "dicom", out=out, rules=read_rules(None), pseudonyms=KEY
    )
    scan = cohort_scan.run(request, executors=HERE)
    assert (len(scan.patients), scan.failures, scan.qc) == (4, (), ())
    study = load_study(out / "study.toml", environ={})
    return built(study, tuple(map(KEY.patient, PATIENTS)))


@pytest.fixture(scope="module")
def by_nifti(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    flags = {
        "study.store": str(tmp_path_factory.mktemp("nifti") / "store"),
        "radiomics.parameters.voxel_type": "int16",
    }
    study = load_study(EXAMPLE, flags=flags, environ={"HNMETS_REAL_DATA": str(real_data)})
    return built(study, PATIENTS)


@pytest.mark.parametrize("recipe", ["radiomics.tumour", "radiomics.ring", "size.tumour"])
@pytest.mark.parametrize("name", PATIENTS)
def test_every_feature_is_the_same_by_both_ways(
    recipe: str, name: str, by_dicom: Snapshot, by_nifti: Snapshot
) -> None:
    one, other = by_dicom.matrix([recipe]), by_nifti.matrix([recipe])
    assert one.columns == other.columns
    own = one.values[one.case_ids.index(KEY.patient(name))]
    theirs = other.values[other.case_ids.index(name)]
    assert len(own) == (4 if recipe.startswith("size") else 1562)
    np.testing.assert_allclose(own, theirs, rtol=1e-6, atol=0)


def test_the_published_segmentations_end_with_their_codes(real_data: Path, tmp_path: Path) -> None:
    rules = parse_rules(
        'version = 1\nname = "bone"\n[roles.bone]\nrequired = true\nexact = ["first segment"]\n'
    )
    request = Request(
        root=real_data / "dicom_seg", out=tmp_path / "out", rules=rules, pseudonyms=KEY
    )
    scan = cohort_scan.run(request, executors=HERE)
    codes = sorted(failure.code.value for failure in scan.failures)
    # Four objects of a CT that is not there; one of a CT of a single image.
    assert codes == ["E_DICOM_SERIES", "E_IMG_SHAPE"]
    assert scan.kinds == {"CT": 1, "segmentation": 5}
    assert scan.exit_code == 3
