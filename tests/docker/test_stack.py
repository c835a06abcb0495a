"""The stack of the compose file on this machine: what a team does with it, and what nobody may."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests import postgres
from tests.browser import chromium, open_page
from tests.builders_searches import wait_until
from tests.builders_tracking import free_port
from tests.docker.attacks import ALL, Attack
from tests.docker.stack import Stack, started

pytestmark = pytest.mark.slow
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Target:
    """A tracking server, a run in it, and who may ask."""

    port: int
    files: Path
    login: Mapping[str, str]
    experiment: str = "0"
    run: str = ""

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def is_healthy(self) -> bool:
        try:
            return self.ask("GET", "/health")[0] == 200
        except OSError:
            return False

    def attack(self, attack: Attack) -> int:
        """Send it; return the status."""

        def here(text: str) -> str:
            return text.replace("{run}", self.run).replace("{experiment}", self.experiment)

        body = attack.body
        if len(body) < MIB:
            body = here(body.decode()).encode()
        headers = {**attack.headers, **(self.login if attack.login else {})}
        return self.ask(attack.method, here(attack.path), body, headers)[0]

    def post(self, route: str, **document: object) -> dict[str, dict[str, dict[str, str]]]:
        headers = {**self.login, "Content-Type": "application/json"}
        body = json.dumps(document).encode()
        status, _, found = self.ask("POST", f"/api/2.0/mlflow/{route}", body, headers)
        assert status == 200, found
        return dict(json.loads(found))

    def everything(self) -> set[Path]:
        return {path.relative_to(self.files.parent) for path in self.files.parent.rglob("*")}


def with_a_run(target: Target) -> Target:
    """Make what attacks aim at: a run with a file, a model, and a link out of the folder."""
    experiment = str(target.post("experiments/create", name="attacked")["experiment_id"])
    run = target.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    target.post("registered-models/create", name="m")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/page.html"
    assert target.ask("PUT", path, b"<script>alert(1)</script>", target.login)[0] == 200
    (target.files.parent / "secret").write_text("canary of another folder")
    (target.files / experiment / "link").symlink_to(target.files.parent / "secret")
    return Target(
        port=target.port, files=target.files, login=target.login, experiment=experiment, run=run
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL and the guarded MLflow."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed: `apt-get install postgresql`")
    with started(tmp_path_factory.mktemp("stack")) as found:
        yield found


@pytest.fixture(scope="session")
def guarded(stack: Stack) -> Target:
    token = stack.secret("tracking_token")
    return with_a_run(
        Target(
            port=stack.ports["tracking"],
            files=stack.files,
            login={"Authorization": f"Bearer {token}"},
        )
    )


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """MLflow as it comes."""
    folder, port = tmp_path_factory.mktemp("bare"), free_port()
    files = folder / "files"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{folder}/bare.db"),
        *("--artifacts-destination", str(files)),
    ]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        target = Target(port=port, files=files, login={})
        wait_until(target.is_healthy)
        yield with_a_run(target)
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("attack", ALL, ids=str)
def test_an_attack_fails(guarded: Target, attack: Attack) -> None:
    before = guarded.everything()
    assert guarded.attack(attack) in attack.wanted
    assert guarded.everything() == before


@pytest.mark.parametrize("attack", [each for each in ALL if each.bare], ids=str)
def test_without_the_guard_the_attack_succeeds(bare: Target, attack: Attack) -> None:
    assert bare.attack(attack) == attack.bare


def bring_outside(target: Target, folder: Path) -> None:
    """Have an experiment keep its files elsewhere, and bring one."""
    made = target.post("experiments/create", name=str(folder), artifact_location=str(folder))
    run = target.post("runs/create", experiment_id=made["experiment_id"])["run"]["info"]["run_id"]
    path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=planted.txt"
    assert target.ask("POST", path, b"planted", target.login)[0] == 200


def test_no_file_is_written_outside_the_folder(
    guarded: Target, bare: Target, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="the server decides where files lie"):
        bring_outside(guarded, tmp_path / "guarded")
    assert not (tmp_path / "guarded").exists()
    bring_outside(bare, tmp_path / "bare")
    assert [path.read_text() for path in tmp_path.rglob("planted.txt")] == ["planted"]


def sent(target: Target, path: str, *, mebibytes: int, chunked: bool, kind: str = "") -> int:
    """Send a large body until an answer comes; return its status."""
    login = "".join(f"{name}: {value}\r\n" for name, value in target.login.items())
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {mebibytes * MIB}"
    method = "POST" if kind else "PUT"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{login}{length}\r\n"
    head += f"Content-Type: {kind}\r\n" if kind else ""
    part = b"\0" * MIB
    with socket.create_connection(("127.0.0.1", target.port), timeout=30) as connection:
        connection.sendall(head.encode() + b"\r\n")
        connection.settimeout(0.02)
        try:
            for _ in range(mebibytes):
                connection.settimeout(30)
                connection.sendall(b"%x\r\n%b\r\n" % (MIB, part) if chunked else part)
                connection.settimeout(0.001)
                try:
                    return int(connection.recv(64).split()[1])
                except TimeoutError:
                    continue
            connection.settimeout(30)
            connection.sendall(b"0\r\n\r\n" if chunked else b"")
        except (BrokenPipeError, ConnectionResetError):
            connection.settimeout(30)
        return int(connection.recv(64).split()[1])


@pytest.mark.parametrize("chunked", [True, False], ids=["by and by", "announced"])
def test_a_file_of_64_mib_is_refused_and_leaves_nothing(
    guarded: Target, bare: Target, chunked: bool
) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{guarded.experiment}/large-{chunked}"
    before = guarded.everything()
    assert sent(guarded, path, mebibytes=64, chunked=chunked) == 413
    assert guarded.everything() == before
    assert sent(bare, path, mebibytes=64, chunked=chunked) == 200


def test_a_form_of_64_mib_is_refused_before_it_is_read(guarded: Target) -> None:
    form = "multipart/form-data; boundary=x"
    for chunked in (True, False):
        path = "/api/2.0/mlflow/runs/create"
        assert sent(guarded, path, mebibytes=64, chunked=chunked, kind=form) == 413


def test_a_file_below_the_limit_comes_back_as_it_was(guarded: Target) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{guarded.experiment}/whole"
    assert sent(guarded, path, mebibytes=40, chunked=True) == 200
    assert guarded.ask("GET", path, b"", guarded.login)[2] == b"\0" * 40 * MIB


def test_a_page_among_the_files_is_not_shown_as_one(guarded: Target) -> None:
    inner = f"{guarded.experiment}/{guarded.run}/artifacts/page.html"
    for path in (
        f"/api/2.0/mlflow-artifacts/artifacts/{inner}",
        f"/get-artifact?run_id={guarded.run}&path=page.html",
    ):
        status, headers, body = guarded.ask("GET", path, b"", guarded.login)
        assert (status, body) == (200, b"<script>alert(1)</script>")
        assert headers["content-disposition"].startswith("attachment")
        assert headers["x-content-type-options"] == "nosniff"


def test_a_refusal_says_how_to_log_in_and_repeats_nothing(guarded: Target) -> None:
    status, headers, body = guarded.ask("GET", "/canary-7f3")
    assert status == 401
    assert headers["www-authenticate"] == 'Basic realm="hnmets", charset="UTF-8"'
    assert headers["cache-control"] == "no-store"
    assert b"canary" not in body
    told = guarded.ask("GET", "/canary-7f3", b"", guarded.login)[2]
    assert json.loads(told)["error_code"] == "ENDPOINT_NOT_FOUND"
    assert b"canary" not in told


def test_the_database_lets_nobody_in_without_its_password(stack: Stack) -> None:
    import psycopg

    where = f"postgresql://hnmets@127.0.0.1:{stack.ports['postgres']}/mlflow"
    for password in (None, "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(where, password=password)
    with psycopg.connect(where, password=stack.secret("database_password")) as connection:
        (count,) = connection.execute("select count(*) from experiments").fetchone() or (0,)
    assert count >= 1


def test_a_team_evaluates_registers_and_is_served(stack: Stack) -> None:
    assert stack.is_healthy("postgres")
    evaluated = stack.run()
    assert evaluated.returncode == 0, evaluated.stderr
    assert "clinical + size" in evaluated.stdout
    registered = stack.run("models", "register")
    assert registered.returncode == 0, registered.stderr
    promoted = stack.run("models", "promote", "1", "--reason", "a test")
    assert promoted.returncode == 0, promoted.stderr
    assert not (stack.project / "mlflow.db").exists()
    with stack.service("serve"):
        token = stack.secret("serve_token")
        server = Target(
            port=stack.ports["serve"],
            files=stack.files,
            login={"Authorization": f"Bearer {token}"},
        )
        body = b'{"case_ids": ["HN-001", "HN-002"]}'
        headers = {"Content-Type": "application/json"}
        assert server.ask("POST", "/predict", body, headers)[0] == 401
        assert server.ask("GET", "/docs", b"", server.login)[0] == 404
        evil = {**server.login, "Host": "evil.example"}
        assert server.ask("GET", "/version", b"", evil)[0] == 400
        status, _, told = server.ask("POST", "/predict", body, {**headers, **server.login})
        assert status == 200, told
        served = [each["risk"] for each in json.loads(told)["predictions"]]
    asked = stack.run("predict", "--cases", "HN-001,HN-002", "--json")
    predicted = [each["risk"] for each in json.loads(asked.stdout)["predictions"]]
    assert served == pytest.approx(predicted, abs=1e-9)
    told = f"{evaluated}{registered}{promoted}{asked}{stack.log('tracking')}{stack.log('serve')}"
    assert "canary" not in told
    assert "Traceback" not in told


def test_no_secret_is_seen_on_a_command_line_or_in_a_run(stack: Stack, guarded: Target) -> None:
    lines = [
        " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ]
    assert any("--app-name hnmets" in line for line in lines)
    secrets = [stack.secret(name) for name in ("tracking_token", "database_password")]
    runs = json.dumps(guarded.post("runs/search", experiment_ids=["0", "1", "2", "3"]))
    files = b"".join(path.read_bytes() for path in stack.files.rglob("*") if path.is_file())
    for secret in secrets:
        assert not [line for line in lines if secret in line]
        assert secret not in runs
        assert secret.encode() not in files


def test_a_person_logs_in_by_the_browser(stack: Stack, guarded: Target, tmp_path: Path) -> None:
    chromium()
    place = f"127.0.0.1:{stack.ports['tracking']}"
    with open_page(tmp_path) as page:
        page.open(f"http://jane:wrong@{place}/")
        page.wait_for("document.readyState == 'complete'")
        assert "Experiments" not in (page.value("document.body?.innerText") or "")
        # What a person types when the browser asks.
        page.open(f"http://jane:{stack.secret('tracking_token')}@{place}/")
        page.wait_for("document.body?.innerText.includes('Experiments')")
        page.open(f"http://{place}/#/experiments")
        page.wait_for("document.body?.innerText.includes('attacked')")


def test_mlflows_client_logs_in_by_name_and_password(stack: Stack) -> None:
    script = (
        "from mlflow import MlflowClient\n"
        "print(*sorted(e.name for e in MlflowClient().search_experiments()))"
    )
    environment = {
        **stack.environment("train"),
        "MLFLOW_TRACKING_USERNAME": "jane",
        "MLFLOW_TRACKING_PASSWORD": stack.secret("tracking_token"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "Default" in done.stdout.split()
    environment["MLFLOW_TRACKING_PASSWORD"] = "wrong"  # noqa: S105 - indeed
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "log in: any name, and the token as password" in done.stderr
