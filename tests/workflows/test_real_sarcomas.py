"""From real CT files to the store: what comes out is what PyRadiomics says of the files."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses

from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.execution.local import InProcess, LocalPool
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, cohort_check, features_build, report
from hnmets.workflows.case_reader import Reading, read_case
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.features_build import Request
from hnmets.workflows.study import Study, load_study
from tests.extractors.direct import as_images, measure_directly
from tests.reporting.html_page import Page

pytestmark = pytest.mark.real_data
EXAMPLE = Path(__file__).parents[2] / "examples" / "sts" / "study.toml"
# The three smallest: PyRadiomics takes a minute for the largest.
SMALL = ("STS_008", "STS_019", "STS_025")
# The default engine adds in its own order: the same bound as in every comparison of the engines.
AGREEMENT = 1e-9


@pytest.fixture(scope="module")
def study(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    store = tmp_path_factory.mktemp("sts") / "store"
    environ = {"HNMETS_REAL_DATA": str(real_data)}
    return load_study(EXAMPLE, flags={"study.store": str(store)}, environ=environ)


@pytest.fixture(scope="module")
def built(study: Study) -> Snapshot:
    request = Request(only=("radiomics", "size"), cases=SMALL)
    report = features_build.run(study, request, executor=LocalPool(jobs=2))
    assert not report.failures
    return read_snapshot(study.store_folder)


def test_all_fifteen_pass_the_gate(study: Study) -> None:
    checked = cohort_check.run(study, executor=InProcess())
    assert (checked.flow.read, checked.flow.included, checked.events) == (15, 15, 5)
    assert not [n for n in checked.notices if n.flag == "hu_suspect"]


@pytest.mark.slow
@pytest.mark.parametrize("case_id", SMALL)
def test_the_stored_tumour_is_what_pyradiomics_measures_in_the_files(
    case_id: str, study: Study, built: Snapshot
) -> None:
    nifti = study.root / "nifti"
    ct, mask = (
        sitk.ReadImage(nifti / f"{case_id}_CT_{what}.nii.gz") for what in ("image", "mask")
    )
    direct = measure_directly(ct, mask)
    stored = built.matrix(["radiomics.tumour"])
    assert [name.removeprefix("radiomics.tumour.") for name in stored.columns] == list(direct)
    row = stored.values[stored.case_ids.index(case_id)]
    np.testing.assert_allclose(row, list(direct.values()), rtol=AGREEMENT, atol=0)


@pytest.mark.slow
def test_the_stored_ring_is_what_pyradiomics_measures_in_the_ring(
    study: Study, built: Snapshot
) -> None:
    case = next(case for case in read_cohort(study).cases if case.case_id == SMALL[1])
    read = read_case(Reading(case=case, rules=study.regions, memory_gib=4)).case
    ct, mask = as_images(read.ct, read.regions["ring"][0].mask)
    direct = measure_directly(sitk.Cast(ct, sitk.sitkFloat32), mask)
    stored = built.matrix(["radiomics.ring"])
    row = stored.values[stored.case_ids.index(SMALL[1])]
    np.testing.assert_allclose(row, list(direct.values()), rtol=AGREEMENT, atol=0)


@pytest.mark.slow
def test_by_default_whole_hu_are_measured_however_the_file_stores_them(study: Study) -> None:
    store = study.store_folder.with_name("whole")
    flags = {"study.store": str(store), "radiomics.parameters.voxel_type": "int16"}
    whole = load_study(EXAMPLE, flags=flags, environ={"HNMETS_REAL_DATA": str(study.root.parent)})
    request = Request(only=("radiomics",), cases=("STS_019",))
    features_build.run(whole, request, executor=InProcess())
    nifti = study.root / "nifti"
    ct = sitk.Cast(sitk.ReadImage(nifti / "STS_019_CT_image.nii.gz"), sitk.sitkInt16)
    direct = measure_directly(ct, sitk.ReadImage(nifti / "STS_019_CT_mask.nii.gz"))
    (row,) = read_snapshot(store).matrix(["radiomics.tumour"]).values
    np.testing.assert_allclose(row, list(direct.values()), rtol=AGREEMENT, atol=0)


def test_size_is_the_volume_of_the_contour(study: Study, built: Snapshot) -> None:
    sizes = built.frame("size.tumour")
    voxel_cc = 0.9765625**2 * 3.27 / 1000
    mask = sitk.ReadImage(study.root / "nifti" / "STS_019_CT_mask.nii.gz")
    voxels = int((sitk.GetArrayFromImage(mask) > 0).sum())
    (row,) = sizes.filter(sizes["case_id"] == "STS_019").iter_rows(named=True)
    assert row["voxel_volume_cc"] == pytest.approx(voxels * voxel_cc, rel=1e-5)
    assert row["mesh_volume_cc"] == pytest.approx(row["voxel_volume_cc"], rel=0.02)


@pytest.mark.slow
def test_the_whole_path_says_what_five_events_cannot_show(study: Study, tmp_path: Path) -> None:
    flags = {"study.store": str(tmp_path / "store"), "evaluation.draws": 200}
    own = load_study(EXAMPLE, flags=flags, environ={"HNMETS_REAL_DATA": str(study.root.parent)})
    features_build.run(
        own, Request(only=("cohort", "outcome", "size")), executor=LocalPool(jobs=2)
    )
    found = ablate.run(own, tracker=InMemoryTracker())
    summary = Page.of(report.run(own, tmp_path / "report.html", asked=found.run).read_text())
    text = summary.by_id("summary").text
    assert "was scored on 15 patients, 5 of them with the event" in text
    assert "What 5 events cannot show" in text
    assert "cannot say which rung of the ladder is better" in text
