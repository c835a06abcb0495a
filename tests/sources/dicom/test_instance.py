"""One file: what it is, what may be known of it, and what it must not be able to do."""

import os
import struct
import zlib
from pathlib import Path

import psutil
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from hnmets.domain.errors import Code, InvalidDataError
from hnmets.sources.dicom.acquisition import Acquisition, read_acquisition
from hnmets.sources.dicom.crawl import crawl
from hnmets.sources.dicom.instance import Instance, read_instance
from hnmets.sources.dicom.kind import Kind
from tests.builders_dicom import KEY, changed, patient, save

CT, STRUCTURES = patient(1)


def look(ds: Dataset, folder: Path) -> Instance:
    return read_instance(save(ds, folder / "a.dcm"), KEY)


def made(**values: object) -> Acquisition:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return read_acquisition(ds, KEY)


def test_a_slice_is_placed_and_its_identifiers_are_hashed(tmp_path: Path) -> None:
    found = look(CT[3], tmp_path)
    assert found.kind is Kind.CT
    assert found.planes[0].position_mm == (0.0, 0.0, 9.0)
    assert (found.planes[0].slope, found.planes[0].intercept) == (1.0, -8192.0)
    assert found.patient == KEY.patient("MRN-1")
    texts = (found.patient, found.series, found.sop, found.frame)
    assert not any(CT[3].SeriesInstanceUID in text or "MRN" in text for text in texts)


def test_a_structure_set_names_what_it_was_drawn_on(tmp_path: Path) -> None:
    found = look(STRUCTURES, tmp_path)
    ct = look(CT[0], tmp_path)
    assert found.kind is Kind.STRUCTURES
    assert found.references.series == (ct.series,)
    assert found.references.frames == (ct.frame,)
    assert [region.name for region in found.references.regions] == ["GTVp", "BODY"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 400, b"PK\x03\x04" + b"x" * 500])
def test_other_files_are_no_dicom(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    assert read_instance(file, KEY).kind is Kind.FOREIGN


def test_an_old_file_without_the_magic_word_is_read(tmp_path: Path) -> None:
    file = save(CT[0], tmp_path / "a.dcm")
    ds = pydicom.dcmread(file)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    save(ds, tmp_path / "b.dcm")
    raw = (tmp_path / "b.dcm").read_bytes()
    start = raw.index(b"\x08\x00\x08\x00")
    (tmp_path / "b.dcm").write_bytes(raw[start:])
    found = read_instance(tmp_path / "b.dcm", KEY)
    assert (found.kind, found.series) == (Kind.CT, look(CT[0], tmp_path).series)


@pytest.mark.parametrize("keep", [0.02, 0.04, 0.06])
def test_a_header_that_ends_too_early_is_damaged_or_without_a_place(
    keep: float, tmp_path: Path
) -> None:
    file = save(CT[0], tmp_path / "a.dcm")
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * keep)])
    found = read_instance(file, KEY)
    assert found.trouble is not None
    assert found.trouble[0] is Code.IMAGE_CORRUPT


@pytest.mark.parametrize(
    ("values", "band"),
    [
        ({"PatientAge": "063Y"}, "60-64"),
        ({"PatientAge": "018M"}, "0-4"),
        ({"PatientAge": "089Y"}, "85-89"),
        ({"PatientAge": "090Y"}, "90+"),
        ({"PatientAge": "103Y"}, "90+"),
        ({"PatientBirthDate": "19600301", "StudyDate": "20250228"}, "60-64"),
        ({"PatientBirthDate": "19600301", "StudyDate": "20250302"}, "65-69"),
        ({"PatientBirthDate": "20300301", "StudyDate": "20250302"}, "unknown"),
        ({"PatientAge": ""}, "unknown"),
    ],
)
def test_ages_are_bands_and_the_oldest_one_band(values: dict[str, object], band: str) -> None:
    assert made(**values).age_band == band


def test_texts_that_are_no_known_words_are_hashes_that_keep_groups() -> None:
    known = made(ConvolutionKernel="B30f", ManufacturerModelName="LightSpeed VCT")
    assert (known.kernel, known.scanner) == ("B30f", "LightSpeed VCT")
    one, again, other = (
        made(ConvolutionKernel=text).kernel for text in ("Dr Meyer", "Dr Meyer", "Dr Huber")
    )
    assert one == again != other
    assert one.startswith("other-")
    assert "eyer" not in one


def test_contrast_is_told_and_its_agent_is_not() -> None:
    assert made(ContrastBolusAgent="Ultravist, by nurse Smith").contrast == "yes"
    assert made(ContrastBolusAgent="").contrast == "no"
    assert made().contrast == "unknown"


def test_numbers_that_are_none_are_unknown() -> None:
    assert made(KVP="120").kvp == 120.0
    assert made(SliceThickness="0").slice_thickness_mm is None
    assert made().as_cells()["kvp"] == "unknown"


def memory_mib() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def bomb(kind: str, file: Path) -> None:
    """Write a file that breaks readers which trust it."""
    raw = save(CT[0], file).read_bytes()
    start = raw.index(b"\x10\x00\x20\x00LO")
    if kind == "nested":
        item = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        file.write_bytes(raw[:start] + item * 20_000)
    elif kind == "two gigabytes promised":
        file.write_bytes(raw[:start] + b"\x10\x00\x20\x00UT\0\0" + struct.pack("<I", 2**31 - 2))
    elif kind == "two gigabytes":
        with file.open("wb") as out:
            out.write(raw[:start] + b"\x10\x00\x20\x00UT\0\0" + struct.pack("<I", 2**31 - 2))
            out.truncate(2**31 + 4096)  # a hole: it takes no room on the disk
    elif kind == "deflated":
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
        ds.save_as(file, enforce_file_format=True)
        head = file.read_bytes()[:400]
        file.write_bytes(head + zlib.compress(b"\0" * 2**28)[2:])
    else:
        file.write_bytes(raw.replace(b"\x20\x00\x32\x00DS", b"\x20\x00\x32\x00\xff\xff"))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("nested", Code.IMAGE_CORRUPT),
        ("two gigabytes promised", Code.IMAGE_CORRUPT),
        ("two gigabytes", Code.IMAGE_CORRUPT),
        ("deflated", Code.DICOM_SYNTAX),
        ("a kind of value that is none", Code.IMAGE_CORRUPT),
    ],
)
def test_a_bomb_is_refused_without_room_for_it(kind: str, code: Code, tmp_path: Path) -> None:
    file = tmp_path / "bomb.dcm"
    bomb(kind, file)
    before = memory_mib()
    found = read_instance(file, KEY)
    assert memory_mib() - before < 200
    assert found.trouble is not None
    assert found.trouble[0] is code


def test_a_crawl_follows_no_link_and_counts_it(tmp_path: Path) -> None:
    root = tmp_path / "export"
    (root / "deep" / "er").mkdir(parents=True)
    save(CT[0], root / "deep" / "er" / "ünï cödé .dcm")
    (root / "circle").symlink_to(root)
    (root / "outside").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    found = crawl(root)
    assert [file.name for file in found.files] == ["deep/er/ünï cödé .dcm"]
    assert (found.links, found.closed) == (2, 0)
    with pytest.raises(InvalidDataError, match="no such folder"):
        crawl(tmp_path / "absent")


def test_a_multi_frame_that_says_nothing_of_its_frames_has_no_place(tmp_path: Path) -> None:
    ds = changed(CT[0], SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1")
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    assert look(ds, tmp_path).trouble == (
        Code.IMAGE_CORRUPT,
        "a multi-frame image describes no frame",
    )
