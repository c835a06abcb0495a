"""Files are found by pattern or column, and never outside the data folder."""

from pathlib import Path

import pytest

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.location import DataFolder, fill, pattern_columns


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "nifti").mkdir(parents=True)
    (folder / "nifti" / "a.nii.gz").touch()
    (tmp_path / "secret.nii.gz").touch()
    return folder


def code_of(folder: Path, text: str) -> Code:
    with pytest.raises(CaseError) as caught:
        DataFolder(folder).locate(text)
    return caught.value.code


def test_a_file_below_the_folder_is_found(data: Path) -> None:
    here = data / "nifti" / "a.nii.gz"
    folder = DataFolder(data)
    assert folder.locate("nifti/a.nii.gz") == here
    assert folder.locate("nifti/../nifti/a.nii.gz").samefile(here)
    assert folder.locate(str(here)) == here


def test_ways_out_of_the_folder_are_refused(data: Path) -> None:
    (data / "link.nii.gz").symlink_to(data.parent / "secret.nii.gz")
    (data / "side").symlink_to(data.parent)
    for text in (
        "../secret.nii.gz",
        "nifti/../../secret.nii.gz",
        str(data.parent / "secret.nii.gz"),
        "link.nii.gz",
        "side/secret.nii.gz",
        "../../x",
        "..",
        "a\0b",
    ):
        assert code_of(data, text) == Code.PATH_OUTSIDE, text


def test_a_link_that_stays_inside_is_fine(data: Path) -> None:
    (data / "link.nii.gz").symlink_to(data / "nifti" / "a.nii.gz")
    assert DataFolder(data).locate("link.nii.gz") == data / "link.nii.gz"


def test_a_wider_root_allows_what_a_narrow_one_refuses(data: Path) -> None:
    assert DataFolder(data.parent).locate("secret.nii.gz").is_file()


def test_what_is_not_there_is_missing(data: Path) -> None:
    (data / "loop").symlink_to(data / "loop")
    (data / "gone").symlink_to(data / "nowhere")
    for text in ("nifti/b.nii.gz", "nifti", "loop", "gone", "x" * 250, "x" * 5000):
        assert code_of(data, text) == Code.IMAGE_MISSING, text[:9]


def test_names_in_any_script_are_found(data: Path) -> None:
    for name in ("Müller 3.nii.gz", "患者1.nii.gz", "a'b;--.nii.gz", "x" * 240 + ".nii.gz"):
        (data / name).touch()
        assert DataFolder(data).locate(name) == data / name


def test_names_that_differ_by_case_are_two_files(data: Path) -> None:
    (data / "nifti" / "A.nii.gz").touch()
    folder = DataFolder(data)
    if folder.locate("nifti/a.nii.gz").samefile(folder.locate("nifti/A.nii.gz")):
        pytest.skip("this file system does not tell upper from lower case")
    assert sorted(folder.cases("nifti/{case}.nii.gz")) == ["A", "a"]


def test_a_pattern_is_filled_from_the_row() -> None:
    row = {"scan": "CT1", "ct_file": "x/y.nii.gz", "empty": ""}
    assert fill("{case}/{scan}.nii", "A", row) == "A/CT1.nii"
    assert fill("ct_file", "A", row) == "x/y.nii.gz"
    assert fill("{case}/{empty}.nii", "A", row) == ""
    assert pattern_columns("{case}/{scan}.nii") == ("scan",)
    assert pattern_columns("ct_file") == ("ct_file",)


def test_a_filled_in_value_is_not_filled_again() -> None:
    assert fill("{scan}.nii", "A", {"scan": "{case}"}) == "{case}.nii"


def test_cases_are_what_the_pattern_leaves_open(data: Path) -> None:
    for name in ("b_CT.nii.gz", "b_PET.nii.gz", "c d_CT.nii.gz", "[x]_CT.nii.gz"):
        (data / "nifti" / name).touch()
    assert list(DataFolder(data).cases("nifti/{case}_CT.nii.gz")) == ["[x]", "b", "c d"]


def test_a_case_named_twice_in_the_pattern_is_the_same_case(data: Path) -> None:
    for name in ("p1/p1_CT.nii", "p2/p3_CT.nii"):
        (data / name).parent.mkdir()
        (data / name).touch()
    assert list(DataFolder(data).cases("{case}/{case}_CT.nii")) == ["p1"]
