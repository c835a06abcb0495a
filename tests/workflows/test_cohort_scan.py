"""A scan is done once, goes on where it was stopped, and is read by every other command."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.execution.local import InProcess
from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.sources.dicom.region_rules import default_rules, parse_rules, read_rules
from hnmets.workflows import cohort_check, cohort_scan
from hnmets.workflows.cohort_scan import Executors, Request
from tests.builders_cohorts import command, hnmets, study_of
from tests.builders_dicom import KEY, circle, patient, save, write_patient

SECRET = "0123456789abcdef"  # noqa: S105  # of made-up patients


class Counting:
    """An executor that works here and remembers what it was asked to do."""

    def __init__(self) -> None:
        self.tasks: list[Any] = []

    def map(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        listed = list(tasks)
        self.tasks += listed
        yield from InProcess().map(function, listed)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Three patients."""
    for number in (1, 2, 3):
        write_patient(tmp_path / "export", *patient(number))
    return tmp_path / "export"


def request(export: Path) -> Request:
    return Request(root=export, out=export.parent / "out", rules=read_rules(None), pseudonyms=KEY)


def scanned(ask: Request) -> tuple[cohort_scan.Scan, list[str]]:
    """Scan, and say which patients were read."""
    reading = Counting()
    executors = Executors(looking=InProcess(), reading=reading)
    found = cohort_scan.run(ask, executors=executors)
    return found, [task.patient for task in reading.tasks]


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        file.relative_to(folder).as_posix(): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_second_scan_reads_nothing_and_touches_nothing(export: Path) -> None:
    first, read = scanned(request(export))
    before = tree(request(export).out)
    second, again = scanned(request(export))
    assert (len(read), again) == (3, [])
    assert second == first
    assert tree(request(export).out) == before


def test_a_new_patient_is_the_only_one_that_is_read(export: Path) -> None:
    scanned(request(export))
    write_patient(export, *patient(4))
    found, read = scanned(request(export))
    assert read == [KEY.patient("MRN-4")]
    assert len(found.patients) == 4


def test_a_changed_file_is_read_again(export: Path) -> None:
    scanned(request(export))
    ct, structures = patient(2, GTVp=[circle(12.0), circle(15.0)])
    write_patient(export, ct, structures)
    found, read = scanned(request(export))
    assert read == [KEY.patient("MRN-2")]
    voxels = {each.patient: each.voxels["tumour"] for each in found.patients}
    assert sorted(voxels.values()) == [2 * 97, 5 * 97, 5 * 97]


def test_other_rules_read_everybody_again(export: Path) -> None:
    scanned(request(export))
    rules = parse_rules(default_rules().replace("threshold = 0.5", "threshold = 0.4"))
    assert len(scanned(replace(request(export), rules=rules))[1]) == 3


def test_a_lost_mask_is_made_again(export: Path) -> None:
    scanned(request(export))
    lost = next((request(export).out / "nifti").glob("*_tumour.nii.gz"))
    content = lost.read_bytes()
    lost.unlink()
    assert len(scanned(request(export))[1]) == 1
    assert lost.read_bytes() == content


def test_who_leaves_the_export_leaves_the_output(export: Path) -> None:
    scanned(request(export))
    shutil.rmtree(export / "MRN-3")
    found, read = scanned(request(export))
    assert (len(found.patients), read) == (2, [])
    gone = KEY.patient("MRN-3")
    assert not [name for name in tree(request(export).out) if gone in name]
    assert gone not in (request(export).out / "cohort.csv").read_text()


def test_who_turns_bad_leaves_no_mask_behind(export: Path) -> None:
    scanned(request(export))
    (export / "MRN-3" / "CT" / "0005.dcm").unlink()
    found, _ = scanned(request(export))
    assert [failure.code.value for failure in found.failures] == ["E_GEOM_GAP"]
    assert not list((request(export).out / "nifti").glob(f"*{KEY.patient('MRN-3')}*"))


def test_a_damaged_memory_is_made_again(export: Path) -> None:
    first, _ = scanned(request(export))
    for file in (request(export).out / ".scan").rglob("*.json"):
        if file.name != "key.json":
            file.write_text(file.read_text()[:40])
    second, read = scanned(request(export))
    assert (second, len(read)) == (first, 3)


def test_another_key_is_refused_before_anything_is_mixed(export: Path) -> None:
    scanned(request(export))
    before = tree(request(export).out)
    other = Pseudonyms(key=b"another key, long enough")
    with pytest.raises(UsageError, match="made with another key"):
        scanned(replace(request(export), pseudonyms=other))
    assert tree(request(export).out) == before


def test_two_scans_do_not_write_into_one_folder(export: Path) -> None:
    scanned(request(export))
    lock = FileLock(request(export).out / ".scan" / "lock")
    with lock, pytest.raises(UsageError, match="another scan writes") as caught:
        scanned(request(export))
    assert caught.value.exit_code == 5


def test_an_output_in_the_export_is_refused(export: Path) -> None:
    with pytest.raises(UsageError, match="lie in each other"):
        scanned(replace(request(export), out=export / "out"))
    with pytest.raises(InvalidDataError, match="no such folder"):
        scanned(replace(request(export), root=export / "absent", out=export.parent / "o"))


def test_a_preview_writes_nothing_and_shows_names_as_they_are(export: Path) -> None:
    ct, structures = patient(4, GTVp=[circle(12.0)], GTV_Meyer=[circle(15.0)])
    write_patient(export, ct, structures)
    found = cohort_scan.preview(
        request(export), executors=Executors(looking=InProcess(), reading=InProcess())
    )
    assert {(name.name, name.role) for name in found.names} == {
        ("GTVp", "tumour"),
        ("BODY", ""),
        ("GTV_Meyer", ""),
    }
    assert len(found.patients) == 4
    assert not request(export).out.exists()
    whole, _ = scanned(request(export))
    assert {name.name for name in whole.names} == {"GTVp", "BODY", "GTV_*"}


def test_the_gate_takes_what_a_scan_wrote(export: Path) -> None:
    found, _ = scanned(request(export))
    study = study_of(request(export).out / "study.toml")
    checked = cohort_check.run(study, executor=InProcess())
    assert (checked.flow.read, checked.flow.included) == (3, 3)
    assert {case.case_id for case in checked.included} == {p.patient for p in found.patients}
    assert not [notice for notice in checked.notices if notice.code]


def test_a_study_file_that_was_changed_stays_as_it_is(export: Path) -> None:
    scanned(request(export))
    study = request(export).out / "study.toml"
    study.write_text(study.read_text().replace("scanned cohort", "mine"))
    write_patient(export, *patient(4))
    scanned(request(export))
    assert '"mine"' in study.read_text()


@pytest.mark.slow
def test_a_killed_scan_goes_on_where_it_was(export: Path) -> None:
    for number in range(4, 12):
        write_patient(export, *patient(number))
    out = export.parent / "out"
    arguments = command("cohort", "scan", export, "--out", out)
    environment = os.environ | {"HNMETS_PSEUDONYM_KEY": SECRET}
    process = subprocess.Popen(arguments, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list((out / ".scan" / "patients").glob("P-*.json"))) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, "the scan ended before it could be killed"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    ask = replace(request(export), out=out, pseudonyms=Pseudonyms(key=SECRET.encode()))
    found, read = scanned(ask)
    assert len(found.patients) == 11
    assert 0 < len(read) < 11
    whole, _ = scanned(replace(ask, out=export.parent / "in one go"))
    assert whole == found


@pytest.mark.slow
def test_the_command_says_who_was_left_out_and_ends_with_four(export: Path) -> None:
    (export / "MRN-3" / "CT" / "0005.dcm").unlink()
    out = export.parent / "out"
    scan = ("cohort", "scan", export, "--out", out)
    done = hnmets(*scan, "--json", HNMETS_PSEUDONYM_KEY=SECRET)
    assert done.returncode == 4, done.stderr
    document = json.loads(done.stdout)
    assert [each["code"] for each in document["left_out"]] == ["E_GEOM_GAP"]
    assert len(document["patients"]) == 2
    told = hnmets(*scan, HNMETS_PSEUDONYM_KEY=SECRET)
    assert told.returncode == 4
    assert "E_GEOM_GAP" in told.stdout
    assert "2 patients written, 1 left out" in told.stdout
    nameless = hnmets(*scan, HNMETS_PSEUDONYM_KEY="")
    assert nameless.returncode == 2
    assert "--key-file" in nameless.stderr
    rules = hnmets("cohort", "rules")
    assert rules.stdout == default_rules()


def test_pages_hold_every_patient_and_reason(export: Path) -> None:
    (export / "MRN-3" / "CT" / "0005.dcm").unlink()
    save(patient(5)[0][0], export / "MRN-1" / "CT" / "stray.dcm")
    found, _ = scanned(request(export))
    for page in ("summary.md", "summary.html"):
        text = (request(export).out / page).read_text()
        for each in (*found.patients, *found.failures):
            name = getattr(each, "patient", None) or each.case_id
            assert name in text
        assert "E_GEOM_GAP".replace("_", "\\_" if page.endswith("md") else "_") in text
        assert "no structure set" in text
