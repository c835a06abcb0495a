"""Nothing that could name a person comes from a hospital's export into what a study makes of it.

From DICOM to a risk by the commands, in a folder, by an account and with a table that all tell
who the patients are.
"""

import csv
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders_canary import CANARY, SECRETS, contents, write_contaminated
from tests.builders_cohorts import command
from tests.builders_dicom import tube

pytestmark = pytest.mark.slow
KEY, LOGIN = "a key that is in no output either", "kanarilogin"
CASES = 16
RUNG = "size and texture"
STUDY = f"""
[clinical.age]
column = "age"
type = "number"
known_at = "baseline"

[outcome]
event = "dm"

[radiomics]
regions = ["tumour"]

[embedding]
preset = "ci"

[split]
folds = 2
repeats = 1

[evaluation]
draws = 100

[[evaluation.views]]
name = "{RUNG}"
features = ["clinical", "size", "radiomics", "embedding"]
model = "logistic"
"""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the commands left in a folder, and what they said by their words."""

    folder: Path
    said: dict[str, str]
    cases: list[str]


class Desk:
    """Somebody at work, in a folder that is called like the patient."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"{CANARY} Hans"
        home = folder / "home" / LOGIN
        home.mkdir(parents=True)
        kept = {name: v for name, v in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        self._environment = kept | {
            "HOME": str(home),
            "LOGNAME": LOGIN,
            "USER": LOGIN,
            "HNMETS_PSEUDONYM_KEY": KEY,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self.said: dict[str, str] = {}

    def run(self, *words: str, ends: int = 0) -> None:
        """Run a command to its end."""
        done = subprocess.run(
            command(*words),
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == ends, done.stderr
        assert "Traceback" not in done.stderr
        self.said[" ".join(words[:3])] = done.stdout + done.stderr


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """From the export to a risk; one patient's CT breaks on the way."""
    desk = Desk(tmp_path_factory.mktemp("canary"))
    for number in range(1, CASES + 1):
        tumour = tube(range(4, 9), radius_mm=10 + number % 5)
        write_contaminated(desk.folder / "export", number, GTVp=tumour)
    desk.run("cohort", "scan", "export", "--out", "out", "--quiet")
    out = desk.folder / "out"
    cases = join_with_the_hospitals_table(out)
    broken = out / "nifti" / f"{cases[0]}_CT.nii.gz"
    broken.write_bytes(broken.read_bytes()[:2000])
    study = ("--study", "out/study.toml")
    desk.run("cohort", "check", *study, ends=4)
    desk.run("features", "build", "--quiet", *study, ends=4)
    desk.run("evaluate", RUNG, *study)
    desk.run("report", "--out", "out/report.html", *study)
    desk.run("models", "register", "--quiet", *study)
    desk.run("predict", "--model", "1", "--out", "out/pages", *study, ends=4)
    return Work(folder=out, said=desk.said, cases=cases)


def join_with_the_hospitals_table(out: Path) -> list[str]:
    """Add outcomes and columns that nobody declared to the manifest; return the cases."""
    with (out / "cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row |= {"age": str(50 + number), "dm": str(number % 3 // 2)}
        row |= {"surname": CANARY, "letter": f"Dear {CANARY}, born 19580401"}
    with (out / "joined.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    study = out / "study.toml"
    study.write_text(study.read_text().replace('"cohort.csv"', '"joined.csv"') + STUDY)
    return [row["case_id"] for row in rows]


def searched(work: Work) -> list[tuple[str, bytes]]:
    """All that the study has, but the table that the hospital gave."""
    return [(name, raw) for name, raw in contents(work.folder) if name != "joined.csv"]


def left_the_site(work: Work) -> list[tuple[str, bytes]]:
    """What is made to be shown to others: MLflow with its registry, and the report."""
    shown = ("mlflow.db", "mlruns/", "report.html")
    return [(name, raw) for name, raw in searched(work) if name.startswith(shown)]


def holding(secret: str, files: list[tuple[str, bytes]]) -> list[str]:
    return [name for name, raw in files if secret.encode() in raw or secret in name]


def test_no_planted_word_is_in_what_a_study_makes(work: Work) -> None:
    files = searched(work)
    kinds = {Path(name).suffix for name, _ in files}
    assert {".db", ".duckdb", ".parquet", ".arrow", ".safetensors", ".html", ".gz"} <= kinds
    for secret in (*SECRETS, KEY):
        assert holding(secret, files) == []


def test_no_planted_word_is_in_what_the_commands_say(work: Work) -> None:
    for words, text in work.said.items():
        told = [secret for secret in (*SECRETS, KEY, LOGIN) if secret in text]
        assert (words, told) == (words, [])


def test_the_broken_case_is_told_by_its_pseudonym_and_no_folder_is_named(work: Work) -> None:
    assert f"{work.cases[0]} │ E_IMG_CORRUPT" in work.said["cohort check --study"]
    assert not [words for words, text in work.said.items() if str(work.folder.parents[1]) in text]


def test_what_leaves_the_site_names_no_account_machine_or_folder(work: Work) -> None:
    shown = left_the_site(work)
    assert holding("scanned cohort", shown)
    for secret in (LOGIN, str(work.folder.parents[1]), socket.gethostname()):
        assert holding(secret, shown) == [], secret


def test_mlflow_knows_no_single_patient(work: Work) -> None:
    kept = [(name, raw) for name, raw in left_the_site(work) if name.startswith("ml")]
    assert not [case for case in work.cases if holding(case, kept)]


def test_no_picture_of_a_patient_is_in_mlflow(work: Work) -> None:
    kinds = {Path(name).suffix for name, _ in left_the_site(work) if name.startswith("mlruns/")}
    text = {"", ".json", ".md", ".py", ".svg", ".txt", ".yaml"}
    assert kinds <= text | {".safetensors"}
    drawn = [raw for name, raw in left_the_site(work) if name.endswith(".svg")]
    assert drawn
    assert not [raw for raw in drawn if b"<image" in raw]
