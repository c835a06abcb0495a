import json
import signal
import time
from pathlib import Path

import pytest

from tests.builders_cohorts import hnmets, start
from tests.builders_ladders import every_modality
from tests.builders_searches import EVERY_MODALITY_SEARCH


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Study file of a small search, with its store."""
    found = every_modality(tmp_path_factory.mktemp("search"), cases=120)
    found.file.write_text(found.file.read_text() + EVERY_MODALITY_SEARCH)
    return found.file


@pytest.mark.slow
def test_a_search_tells_what_it_is_worth_and_status_and_show_tell_of_it(study: Path) -> None:
    ended = hnmets("tune", "--study", study, "--trials", "3", "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert [each["name"] for each in found["settings"]] == [
        *("clinical + size", "all, fused", "tuned")
    ]
    assert [each["complete"] for each in found["studies"]] == [3, 3, 3]
    again = hnmets("tune", "finish", "--study", study, "--trials", "3", COLUMNS="140")
    assert again.returncode == 0, again.stderr
    assert "in outer folds, which no search has seen" in again.stdout
    assert "an inner AUC is no performance" in again.stdout
    status = hnmets("tune", "status", "--study", study, "--json")
    assert list(json.loads(status.stdout)) == [found["search"]]
    shown = hnmets("tune", "show", found["search"], "--study", study, "--json")
    assert len(json.loads(shown.stdout)["trials"]) == 3


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--device", "tpu"], 2, "no device 'tpu'"),
        (["--target", "nose"], 2, "no target 'nose'"),
        (["--resume"], 3, "there is no search of these settings and data"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_tried(
    tmp_path: Path, words: list[str], code: int, reason: str
) -> None:
    file = every_modality(tmp_path).file
    file.write_text(file.read_text() + EVERY_MODALITY_SEARCH)
    ended = hnmets("tune", "--study", file, *words)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert reason in ended.stderr


@pytest.mark.slow
def test_ctrl_c_finishes_the_batch_and_the_same_command_goes_on(tmp_path: Path) -> None:
    file = every_modality(tmp_path, cases=120).file
    file.write_text(file.read_text() + EVERY_MODALITY_SEARCH)
    with (tmp_path / "output").open("w") as output:
        running = start("tune", "--study", file, "--trials", "64", output=output)
        journal = wait_for_trials(tmp_path)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=120) == 130
    assert "run the same command to go on" in (tmp_path / "output").read_text()
    before = journal.stat().st_size
    ended = hnmets("tune", "--study", file, "--trials", "16", "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert [each["failed"] + each["running"] for each in found["studies"]] == [0, 0, 0]
    assert journal.stat().st_size >= before


def wait_for_trials(folder: Path) -> Path:
    """Wait until a trial has been tried; return the journal."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if list(folder.glob("store/tuning/*/curves/*/0.npy")):
            return next(folder.glob("store/tuning/*/journal.log"))
        time.sleep(0.1)
    raise AssertionError("no trial was tried")
