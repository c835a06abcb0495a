"""What programs may rely on: one JSON document, exit codes, any environment."""

import json
import subprocess
from pathlib import Path

import pytest

from feature_store.snapshot import read_snapshot
from tests.builders_cohorts import command, hnmets, study_of

BUILD = ("features", "build", "--only", "size,outcome", "--quiet")
JSON_COMMANDS = {
    "build": BUILD,
    "dry run": (*BUILD, "--dry-run"),
    "status": ("features", "status"),
    "list": ("features", "list"),
    "show": ("features", "show", "SYN-0001"),
    "diff": ("features", "diff", "size.tumour", "size.nodes"),
    "verify": ("features", "verify"),
    "rebuild": ("features", "rebuild"),
    "export": ("features", "export", "--recipes", "size.tumour"),
    "check": ("cohort", "check"),
    "study": ("study", "show"),
    "doctor": ("doctor",),
}


@pytest.fixture(scope="module")
def filled(shared_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    store = tmp_path_factory.mktemp("filled") / "store"
    environment = {"HNMETS_STUDY__STORE": str(store), "HNMETS_STUDY": str(shared_cohort)}
    assert hnmets(*BUILD, **environment).returncode == 0
    return environment


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_json_is_one_document_on_stdout(name: str, filled: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        command(*JSON_COMMANDS[name], "--json"),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin", **filled},
    )
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)


def test_an_odd_environment_changes_no_value(cohort: Path, tmp_path: Path) -> None:
    hashes = set()
    for number, environment in enumerate(
        (
            {"LC_ALL": "C", "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "1"},
            {"LC_ALL": "de_DE.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "2"},
        )
    ):
        store = tmp_path / f"store{number}"
        done = subprocess.run(
            command(*BUILD, "--study", cohort),
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            umask=0o077,
            env={"HNMETS_STUDY__STORE": str(store), **environment},
        )
        assert done.returncode == 0, done.stderr
        hashes.add(read_snapshot(store).content_hash)
    assert len(hashes) == 1


def test_text_from_a_table_cannot_colour_the_terminal(cohort: Path) -> None:
    table = cohort.parent / "cohort.csv"
    table.write_text(table.read_text().replace("never", "\x1b[31mnever\x1b[0m", 1))
    done = hnmets("cohort", "check", "--study", cohort)
    assert "\\x1b[31mnever" in done.stdout
    assert "\x1b[31m" not in done.stdout


def test_the_store_of_a_locked_study_is_not_needed_to_read(cohort: Path) -> None:
    assert hnmets(*BUILD, "--study", cohort).returncode == 0
    from feature_store.store import FeatureStore

    with FeatureStore.open(study_of(cohort).store_folder):
        assert hnmets("features", "status", "--study", cohort).returncode == 0
        locked = hnmets(*BUILD, "--study", cohort)
    assert locked.returncode == 5
    assert "PID" in locked.stderr
