"""How a team's server is started, and where its secrets are: in no command line."""

import os
import tempfile
from pathlib import Path

import pytest

from hnmets.domain.errors import UsageError
from hnmets.domain.secret import read_secret
from hnmets.tracking import mlflow_settings
from hnmets.tracking.team_server import TeamServer
from tests.builders_cohorts import hnmets

CANARY = "canary/7f3@x"


def team(store: str = "postgresql://hnmets@db:5432/mlflow", **more: object) -> TeamServer:
    return TeamServer(  # type: ignore[arg-type]  # any field
        **{"store": store, "artifacts": Path("/files"), "host": "0.0.0.0", "port": 5000, **more}  # noqa: S104 - in a container
    )


def test_the_password_is_in_the_environment_alone() -> None:
    server = team(password=CANARY, hosts=("tracking",))
    assert CANARY not in " ".join(server.command)
    assert CANARY not in repr(server)
    told = server.environment({})["MLFLOW_BACKEND_STORE_URI"]
    assert told == "postgresql+psycopg://hnmets:canary%2F7f3%40x@db:5432/mlflow"
    assert server.environment({})["MLFLOW_REGISTRY_STORE_URI"] == told


def test_every_setting_of_the_table_is_made() -> None:
    server = team(hosts=("tracking",))
    environment = server.environment({"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"})
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert environment["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    pattern = environment["MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX"]
    assert pattern == "^(mlflow-artifacts|models|runs):/"
    words = dict(zip(server.command, server.command[1:], strict=False))
    assert words["--app-name"] == "hnmets"
    assert "tracking:*" in words["--allowed-hosts"].split(",")
    assert "*" not in words["--allowed-hosts"].split(",")
    assert "*" not in words["--cors-allowed-origins"].split(",")
    assert words["--default-artifact-root"] == "mlflow-artifacts:/"
    assert "--disable-security-middleware" not in server.command


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="holds a password") as caught:
        team("postgresql://hnmets:canary@db/mlflow")
    assert "canary" not in f"{caught.value}{caught.value.__notes__}"


def test_a_password_needs_an_account() -> None:
    with pytest.raises(UsageError, match="names no account"):
        team("sqlite:///mlflow.db", password=CANARY)


def test_a_secret_comes_from_a_variable_or_a_file_and_not_from_both(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    assert read_secret("T", {}) is None
    assert read_secret("T", {"T": "abc"}) == "abc"
    assert read_secret("T", {"T_FILE": str(file)}) == "abc"
    with pytest.raises(UsageError, match="both T and T_FILE are set"):
        read_secret("T", {"T": "abc", "T_FILE": str(file)})
    file.write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        read_secret("T", {"T_FILE": str(file)})
    with pytest.raises(
        UsageError, match="T_FILE names '/nowhere/x', which cannot be read: No such"
    ):
        read_secret("T", {"T_FILE": "/nowhere/x"})


def test_a_secret_in_the_variable_of_its_file_is_not_repeated() -> None:
    with pytest.raises(UsageError, match="T_FILE names a file, which cannot be read") as caught:
        read_secret("T", {"T_FILE": "canary7f3"})
    assert "canary" not in f"{caught.value}{caught.value.__notes__}"


@pytest.mark.parametrize(
    ("mode", "folder", "shared"),
    [
        (0o600, 0o755, False),
        (0o644, 0o755, True),
        (0o640, 0o750, True),
        (0o604, 0o750, False),
        # As docker/README.md keeps them: readable inside a folder that only its owner enters.
        (0o644, 0o700, False),
    ],
)
def test_whoever_leaves_a_secret_to_others_is_warned(
    mode: int, folder: int, *, shared: bool, caplog: pytest.LogCaptureFixture
) -> None:
    # Not pytest's own folder, which is its owner's alone.
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "token"
        file.write_text("abc\n")
        file.chmod(mode)
        Path(place).chmod(folder)
        assert read_secret("T", {"T_FILE": str(file)}) == "abc"
    assert caplog.messages == (["others can read 'token': chmod 600 it"] if shared else [])


def test_the_client_takes_the_token_from_the_file_that_the_server_takes_it_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    monkeypatch.setenv("HNMETS_TRACKING_TOKEN_FILE", str(file))
    monkeypatch.delenv("HNMETS_TRACKING_TOKEN", raising=False)
    mlflow_settings.apply()
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "abc"  # noqa: S105 - of a test
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "its own")
    mlflow_settings.apply()
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "its own"  # noqa: S105 - of a test


def test_a_server_without_a_token_is_not_started(tmp_path: Path) -> None:
    done = hnmets(
        "tracking-server",
        *("--store", f"sqlite:///{tmp_path}/x.db", "--artifacts", tmp_path / "files"),
        HNMETS_TRACKING_TOKEN="",
    )
    assert done.returncode == 2
    assert "needs a token of 16 characters or more" in done.stderr
    assert list(tmp_path.iterdir()) == []
