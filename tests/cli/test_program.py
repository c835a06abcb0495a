import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.app import app
from tests.builders_cohorts import hnmets

HEAVY = ("torch", "mlflow", "monai", "SimpleITK", "radiomics", "duckdb", "polars", "matplotlib")


def loaded_by(code: str) -> set[str]:
    asked = f"{code}\nimport sys\nprint(*sorted({{n.split('.')[0] for n in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_no_heavy_library() -> None:
    loaded = loaded_by(
        "import sys; sys.argv = ['hnmets', '--help']\n"
        "from cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_every_command_explains_itself() -> None:
    commands = commands_of(app)
    assert {("ablate",), ("evaluate",), ("features", "build"), ("study", "show")} < set(commands)
    for command in commands:
        told = CliRunner().invoke(app, [*command, "--help"])
        assert told.exit_code == 0
        assert "Usage" in told.stdout
    assert hnmets("features", "build", "--help").returncode == 0


def commands_of(program: typer.Typer) -> list[tuple[str, ...]]:
    groups = [
        (str(group.name or ""), command)
        for group in program.registered_groups
        if group.typer_instance
        for command in commands_of(group.typer_instance)
    ]
    alone = [
        (str(command.name or command.callback.__name__),)
        for command in program.registered_commands
        if command.callback
    ]
    return [*alone, *((name, *command) for name, command in groups)]


def test_version_and_wrong_usage() -> None:
    assert hnmets("--version").stdout.startswith("hnmets 0.1.0")
    assert hnmets("features", "biuld").returncode == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bulid", "Closest is `hnmets features build`."),
        ("status", "Closest is `hnmets features status` or `hnmets tune status`."),
        ("evalute", "Did you mean 'evaluate'"),
        ("xyzzy", "No such command 'xyzzy'"),
    ],
)
def test_a_mistyped_command_is_told_the_closest_one(typed: str, meant: str) -> None:
    done = hnmets(typed, "--study", "study.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert meant in done.stderr


def test_no_colour_is_printed_where_none_is_wanted(tmp_path: Path) -> None:
    hnmets("init", tmp_path)
    plain = hnmets("doctor", NO_COLOR="1", FORCE_COLOR="1")
    assert "\x1b[3" not in plain.stdout


def test_init_writes_a_study_file_once(tmp_path: Path) -> None:
    assert hnmets("init", tmp_path / "new").returncode == 0
    again = hnmets("init", tmp_path / "new")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_a_study_that_is_not_there_is_said_in_two_lines(tmp_path: Path) -> None:
    done = hnmets("features", "build", "--study", tmp_path / "study.toml")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "hnmets init" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_schema_is_one_json_document() -> None:
    schema = json.loads(hnmets("study", "schema").stdout)
    assert {"study", "cohort", "regions", "clinical", "outcome", "radiomics", "embedding"} <= set(
        schema["properties"]
    )


def test_show_says_where_a_setting_comes_from(tmp_path: Path) -> None:
    hnmets("cohort", "synth", "--out", tmp_path / "c", "--cases", "1", "--scale", "0.25")
    done = hnmets(
        *("study", "show", "--json", "--study", tmp_path / "c" / "study.toml"),
        HNMETS_BUILD__TIME_LIMIT_S="5",
    )
    origins = {setting["name"]: setting["origin"] for setting in json.loads(done.stdout)}
    assert origins["build.time_limit_s"] == "env HNMETS_BUILD__TIME_LIMIT_S"
    assert origins["embedding.preset"] == "study.toml"
    assert origins["radiomics.parameters.bin_width_hu"] == "default"


def test_doctor_finds_this_installation_sound() -> None:
    checks = {check["name"]: check for check in json.loads(hnmets("doctor", "--json").stdout)}
    assert checks["packages"]["good"]
    assert checks["torch"]["good"]


@pytest.mark.parametrize("package", ["cli", "feature_store", "hnmets"])
def test_our_packages_come_from_our_distribution_alone(package: str) -> None:
    # An editable install names no owner; a foreign one would be named.
    assert set(packages_distributions().get(package, [])) <= {"hnmets"}


@pytest.mark.parametrize("option", ["--only", "--cases"])
@pytest.mark.parametrize("nothing", ["", " , "])
def test_an_option_that_names_nothing_does_not_mean_everything(
    option: str, nothing: str, tmp_path: Path
) -> None:
    hnmets("init", tmp_path)
    done = hnmets("features", "build", "--study", tmp_path / "study.toml", option, nothing)
    assert done.returncode == 2
    assert f"an option names nothing: '{nothing}'" in done.stderr
    listed = "Choose of cohort, clinical, outcome, size, radiomics, embedding"
    assert (listed in done.stderr) == (option == "--only")


def test_the_families_of_the_help_are_those_that_there_are() -> None:
    from cli.features.build import FAMILIES
    from hnmets.workflows import workbench

    assert tuple(FAMILIES.split(", ")) == tuple(sorted(workbench.FAMILIES, key=FAMILIES.index))
    assert len(FAMILIES.split(", ")) == len(workbench.FAMILIES)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize(
    "command",
    [
        # As DuckDB does, which looks for signals while a statement runs.
        "exec('try: time.sleep(60)\\nexcept BaseException: raise RuntimeError(1)')",
        # What a finaliser raises is lost.
        "Fragile(); time.sleep(60)",
    ],
    ids=["renamed", "finaliser"],
)
def test_a_stop_that_a_library_swallows_or_renames_still_stops(
    command: str, name: str, code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STOPPED_IN.format(command=command, name=name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr == "stopped before its end; the same command begins anew\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("features build --only size", "what was finished is kept"),
        ("tune --trials 500", "what was finished is kept"),
        ("ablate --backbones swin,cnn", "what was finished is kept"),
        ("ablate --permutations 100", "begins anew"),
        ("evaluate size", "begins anew"),
        ("models register", "begins anew"),
    ],
)
def test_only_commands_that_keep_what_they_have_say_so(words: str, said: str) -> None:
    stopped = _STOPPED_IN.format(command="time.sleep(60)", name="SIGINT")
    done = subprocess.run(
        [sys.executable, "-c", stopped, *words.split()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert said in done.stderr


_STOPPED_IN = """
import os, signal, threading, time
from cli import app
class Fragile:
    def __del__(self):
        time.sleep(2)
def command():
    {command}
app.app = command
def send():
    time.sleep(1)
    os.kill(os.getpid(), signal.{name})
threading.Thread(target=send, daemon=True).start()
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as in a terminal; `nohup` hands on another
app.main()
"""
