"""Nothing that could name a person leaves the reader: planted words are in no output."""

import gzip
import logging
import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests import builders_dicom_defects as do
from tests.builders_cohorts import command
from tests.builders_dicom import add_region, patient, save, tube

pytestmark = pytest.mark.slow
CANARY = "KANARIENVOGEL"
# What else the phantoms give away, and a part of every UID that they have.
SECRETS = (CANARY, CANARY.lower(), "Somebody", "19580401", "20250103", "MRN-", "1.2.826.0.1")
KEY = "a key that is in no output either"
TEXTS = {"AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
# Without these the object would be no CT or structure set, or its patient somebody else.
NEEDED = {
    "Modality",
    "ImageType",
    "PhotometricInterpretation",
    "SpecificCharacterSet",
    "ContourGeometricType",
    "ROIName",
}


def contaminate(ds: Dataset) -> None:
    """Write the canary into every text field that DICOM knows, private ones and a sequence."""
    for tag, (kind, multiplicity, _, retired, keyword) in DicomDictionary.items():
        wanted = kind in TEXTS and multiplicity.startswith("1") and keyword and not retired
        if wanted and tag >> 16 not in {0, 2} and keyword not in NEEDED:
            setattr(ds, keyword_for_tag(tag), CANARY)
    block = ds.private_block(0x0011, CANARY, create=True)
    block.add_new(0x01, "LO", CANARY)
    item = Dataset()
    item.PatientName = item.InstitutionName = CANARY
    ds.OtherPatientIDsSequence = Sequence([item])
    ds.RequestAttributesSequence = Sequence([item])
    ds.file_meta.SourceApplicationEntityTitle = CANARY


def write_contaminated(root: Path, number: int, spoil: do.Spoil | None) -> Path:
    ct, structures = patient(number)
    images, others = spoil(ct, structures) if spoil else (ct, [structures])
    for ds in (*images, *others):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # many of these fields allow no such word
            contaminate(ds)
        ds.PatientID = f"{CANARY}-{number}"
    for rt in (ds for ds in others if "ROIContourSequence" in ds):
        add_region(rt, 90, f"GTV {CANARY}", tube([5]))
        add_region(rt, 91, CANARY, tube([5]))
    folder = root / f"{CANARY}^Hans {number}"
    folder.mkdir(parents=True)
    for place, ds in enumerate([*images, *others]):
        save(ds, folder / f"{CANARY}_{place}.dcm")
    return folder


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What sound, odd and broken patients leave on disk, and all that was printed."""
    folder = tmp_path_factory.mktemp("privacy")
    export = folder / "export"
    spoils = [
        None,
        do.without(5),
        do.structures(do.of_another_series),
        do.regions(GTV=tube([4]), GTV_2=tube([5])),
        do.half_a_pixel_too_few,
        do.regions(Other=tube([4])),
        do.segmented("BINARY"),
        do.every_ct(RescaleSlope=None),
    ]
    for number, spoil in enumerate(spoils, start=1):
        write_contaminated(export, number, spoil)
    broken = write_contaminated(export, 20, None)
    content = (broken / f"{CANARY}_3.dcm").read_bytes()
    (broken / f"{CANARY}_3.dcm").write_bytes(content[:4000])
    garbled = write_contaminated(export, 21, None)
    text = (garbled / f"{CANARY}_4.dcm").read_bytes()
    (garbled / f"{CANARY}_4.dcm").write_bytes(text.replace(b"DS", b"ZZ"))
    study = folder / "out" / "study.toml"
    printed = ""
    for arguments in (
        ("cohort", "scan", export, "--out", folder / "out"),
        ("cohort", "scan", export, "--out", folder / "out", "--json"),
        ("cohort", "check", "--study", study),
        ("features", "build", "--only", "size,clinical", "--quiet", "--study", study),
        ("features", "list", "--study", study),
    ):
        done = subprocess.run(
            command(*arguments),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"HNMETS_PSEUDONYM_KEY": KEY},
        )
        assert done.returncode in {0, 4}, done.stderr
        assert "Traceback" not in done.stderr
        printed += done.stdout + done.stderr
    return folder / "out", printed


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        raw = file.read_bytes()
        yield file.name, raw
        if raw[:2] == b"\x1f\x8b":
            yield file.name, gzip.decompress(raw)
        if file.suffix == ".parquet":
            table = pq.read_table(file)
            yield file.name, f"{table.schema} {table.to_pylist()}".encode()


def test_no_planted_word_is_in_any_output(outputs: tuple[Path, str]) -> None:
    folder, printed = outputs
    files = list(contents(folder))
    kinds = {Path(name).suffix for name, _ in files}
    assert {".csv", ".html", ".md", ".json", ".gz", ".duckdb", ".parquet"} <= kinds
    for secret in (*SECRETS, KEY):
        assert secret not in printed
        assert not [name for name, raw in files if secret.encode() in raw], secret
        assert not [file for file in folder.rglob("*") if secret in file.name]


def test_the_planted_words_were_there_to_be_found(outputs: tuple[Path, str]) -> None:
    export = outputs[0].parent / "export"
    file = next(export.rglob("*_0.dcm"))
    ds = pydicom.dcmread(file)
    planted = sum(CANARY in str(element.value) for element in ds)
    assert planted > 400


def test_what_was_met_is_told_all_the_same(outputs: tuple[Path, str]) -> None:
    printed = outputs[1]
    for code in ("E_GEOM_GAP", "E_RT_REF", "E_ROI_AMBIGUOUS", "E_IMG_CORRUPT", "E_ROI_ABSENT"):
        assert code in printed
    assert "'GTV *'" in printed


def test_a_librarys_warning_is_not_passed_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    from hnmets.sources.dicom.instance import read_instance
    from tests.builders_dicom import KEY as PSEUDONYMS

    folder = write_contaminated(tmp_path, 1, None)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        for file in folder.iterdir():
            read_instance(file, PSEUDONYMS)
    assert not [record for record in caplog.records if CANARY in record.getMessage()]
    assert not [w for w in recwarn.list if CANARY in str(w.message)]
