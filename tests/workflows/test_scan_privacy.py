"""Nothing that could name a person leaves the reader: planted words are in no output."""

import logging
import os
import subprocess
from pathlib import Path

import pydicom
import pytest

from tests import builders_dicom_defects as do
from tests.builders_canary import CANARY, SECRETS, contents, write_contaminated
from tests.builders_cohorts import command
from tests.builders_dicom import tube

pytestmark = pytest.mark.slow
KEY = "a key that is in no output either"


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
