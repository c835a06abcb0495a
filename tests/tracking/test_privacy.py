import os
import subprocess
import sys
from pathlib import Path

import pytest

from hnmets.tracking.privacy import Privacy

JANE = Privacy(folders=("/srv/trial/jane", "/srv/trial"), user="jane", host="ward-7")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/data/x", "[path]"),
        ("/data/John Doe/x.nii", "[path]"),
        ("~/x", "[path]"),
        ("a=/data/x, b", "a=[path], b"),
        ("(/data/x)", "([path]"),
        ("file:///data/x", "[path]"),
        ("C:\\Users\\jane\\x", "[path]"),
        ("\\\\server\\share", "[path]"),
        ("see /srv/trial/jane/x.csv", "see [path]"),
        ("made by Jane on ward-7", "made by [user] on [host]"),
        ("http://jane:secret@example.org/x", "http://example.org/x"),
    ],
)
def test_what_names_a_person_a_machine_or_a_folder_is_replaced(text: str, clean: str) -> None:
    assert JANE.text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "clinical + size",
        "images/{case}.nii.gz",
        "../store",
        "1/2",
        "tumour/ring",
        "https://doi.org/10.1148/radiol",
        "janet",
        "HU -160:240",
        "ratio a / b",
    ],
)
def test_what_tells_nothing_stays_as_it_is(text: str) -> None:
    assert JANE.text(text) == text


@pytest.mark.parametrize("name", ["", "me", "root", "user"])
def test_an_account_that_is_nobody_in_particular_replaces_nothing(name: str) -> None:
    assert Privacy(user=name, host=name).text("the square root of me") == "the square root of me"


def test_nothing_in_the_database_or_the_files_names_who_ran_it_where(tmp_path: Path) -> None:
    home = tmp_path / "home" / "canarylogin"
    home.mkdir(parents=True)
    script = home / "canaryscript.py"
    script.write_text(
        "from pathlib import Path\n"
        "from hnmets.tracking.base import Artifact, Dataset, Metric, Status\n"
        "from hnmets.tracking.environment import capture\n"
        "from hnmets.tracking.opening import open_tracker\n"
        "from hnmets.tracking.params import flattened\n"
        "from hnmets.tracking.privacy import Privacy\n"
        "from tests.builders_tracking import AT, do_the_work, new_run\n"
        "here = Path.cwd()\n"
        "cohort = {'root': str(here), 'exclude': ['canarycase'], 'by': 'canarylogin'}\n"
        "command = ['--token', 'canarytoken', str(here)]\n"
        "found = capture(command, privacy=Privacy.of(here))\n"
        "with open_tracker(here) as tracker:\n"
        "    do_the_work(tracker)\n"
        "    run = new_run(f'run of canarylogin in {here}', experiment=f'x {here}',\n"
        "        tags=found.tags,\n"
        "        params=flattened({'cohort': cohort}, counted=('cohort.exclude',)),\n"
        "        dataset=Dataset(name=str(here), digest='d', description={'from': str(here)}))\n"
        "    key = tracker.start(run)\n"
        "    tracker.log_artifact(key, Artifact.json('environment.json', found.as_json()))\n"
        "    tracker.log_artifact(key, Artifact.text('log.txt', f'read {here}/images/a.nii'))\n"
        "    tracker.end(key, Status.FINISHED, at=AT)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=home,
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "HOME": str(home),
            "LOGNAME": "canarylogin",
            "USER": "canarylogin",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    assert done.returncode == 0, done.stderr
    kept = {
        file.relative_to(home).as_posix(): file.read_bytes()
        for file in home.rglob("*")
        if file.is_file() and file != script
    }
    assert {"mlflow.db", "mlflow.db.lock"} <= kept.keys()
    assert any(name.endswith("environment.json") for name in kept)
    telling = [name for name, content in kept.items() if b"canary" in content]
    telling += [name for name, content in kept.items() if str(tmp_path).encode() in content]
    telling += [name for name in kept if "canary" in name]
    assert telling == []
    assert b"run of [user] in [path]" in kept["mlflow.db"]
