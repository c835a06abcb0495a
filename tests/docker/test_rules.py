"""The images and services keep the rules, and every rule can be broken (D60)."""

import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker.files import DOCKER, read_compose, read_dockerfile
from tests.docker.rules import (
    IMAGES,
    OF_IMAGES,
    OF_SERVICES,
    Compose,
    Stages,
    exact_bases,
    exact_images,
    health,
    limits,
    no_compiler,
    no_rights,
    no_secret_in_layers,
    nobody_outside,
    only_what_is_needed,
    ordinary_user,
    pinned_packages,
    read_only,
    secrets_in_files,
    words_and_no_shell,
)

DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE = (DOCKER / "compose.yaml").read_text()
VARIABLES = {"HNMETS_PROJECT": "/data/study"}


@pytest.mark.parametrize("rule", OF_IMAGES, ids=lambda rule: rule.__name__)
def test_every_image_keeps_the_rule(rule: Callable[[Stages], Iterator[str]]) -> None:
    assert list(rule(read_dockerfile(DOCKERFILE))) == []


@pytest.mark.parametrize("rule", OF_SERVICES, ids=lambda rule: rule.__name__)
def test_every_service_keeps_the_rule(rule: Callable[[Compose], Iterator[str]]) -> None:
    assert list(rule(read_compose(COMPOSE, VARIABLES))) == []


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        (exact_bases, "python:3.12.12-slim-bookworm", "python:latest"),
        (exact_bases, "python:3.12.12-slim-bookworm", "python"),
        (exact_bases, "python:3.12.12-slim-bookworm", "python:3-slim"),
        (ordinary_user, "USER 10001:10001", "USER root"),
        (ordinary_user, "USER 10001:10001\n", ""),
        (no_compiler, "RUN useradd", "RUN apt-get install -y gcc && useradd"),
        (no_compiler, "AS serve\n", "AS serve\nRUN apt-get install curl\n"),
        (no_secret_in_layers, "ENV NUMBA", "ENV HNMETS_SERVE_TOKEN=abc NUMBA"),
        (no_secret_in_layers, "WORKDIR /src", "ARG DB_PASSWORD"),
        (only_what_is_needed, "COPY cli cli", "COPY . ."),
        (only_what_is_needed, "COPY cli cli", "ADD https://example.org/cli cli"),
        (pinned_packages, "--constraint constraints.txt --no-deps", "--no-deps"),
        (words_and_no_shell, 'ENTRYPOINT ["hnmets", "serve"]', "ENTRYPOINT hnmets serve"),
    ],
)
def test_an_image_that_breaks_a_rule_is_found(
    rule: Callable[[Stages], Iterator[str]], old: str, new: str
) -> None:
    assert old in DOCKERFILE
    assert list(rule(read_dockerfile(DOCKERFILE.replace(old, new))))


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        (read_only, "  read_only: true\n", ""),
        (read_only, 'tmpfs: ["/tmp:size=512m,mode=1777,nosuid,nodev"]', "tmpfs: []"),
        (no_rights, "cap_drop: [ALL]", "cap_drop: [NET_RAW]"),
        (no_rights, "cap_drop: [ALL]", "cap_drop: [ALL]\n  cap_add: [SYS_ADMIN]"),
        (no_rights, "no-new-privileges:true", "seccomp:unconfined"),
        (no_rights, "  init: true", "  privileged: true"),
        (no_rights, "  init: true", "  network_mode: host"),
        (no_rights, '  user: "10001:10001"\n', ""),
        (no_rights, '"999:999"', "root"),
        (limits, "    mem_limit: 1g\n", ""),
        (limits, "  pids_limit: 256\n", ""),
        (health, '["CMD", "pg_isready"', '["CMD-SHELL", "pg_isready"'),
        (health, "        - python\n", "        - curl\n"),
        (exact_images, "postgres:17.6-bookworm", "postgres:latest"),
        (exact_images, "hnmets-serve:0.1.0", "hnmets-serve"),
        (secrets_in_files, "POSTGRES_PASSWORD_FILE: /run/secrets/", "POSTGRES_PASSWORD: "),
        (secrets_in_files, "hnmets@postgres", "hnmets:abc@postgres"),
        (secrets_in_files, '["--host", "0.0.0.0"', '["--token", "0.0.0.0"'),
        (secrets_in_files, 'serve_token: {file: "', 'serve_token: {environment: "'),
        (nobody_outside, "networks: [database]", "networks: [database, outside]"),
        (nobody_outside, "  database: {internal: true}", "  database: {}"),
        (nobody_outside, '"127.0.0.1:5000:5000"', '"5000:5000"'),
        (nobody_outside, "    shm_size: 128m", '    ports: ["127.0.0.1:5432:5432"]'),
    ],
)
def test_a_service_that_breaks_a_rule_is_found(
    rule: Callable[[Compose], Iterator[str]], old: str, new: str
) -> None:
    assert old in COMPOSE
    assert list(rule(read_compose(COMPOSE.replace(old, new), VARIABLES)))


def test_every_service_runs_an_image_of_the_dockerfile_or_a_published_one() -> None:
    services: dict[str, Any] = read_compose(COMPOSE, VARIABLES)["services"]
    targets = {each["build"]["target"] for each in services.values() if "build" in each}
    assert targets == set(IMAGES)
    assert [name for name, each in services.items() if "build" not in each] == ["postgres"]


def test_images_and_package_have_the_same_version() -> None:
    project = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text())["project"]
    services = read_compose(COMPOSE, VARIABLES)["services"]
    ours = {each["image"].partition(":")[2] for each in services.values() if "build" in each}
    assert ours == {project["version"]}


def test_torch_of_the_image_is_the_one_of_the_constraints() -> None:
    constraints = (DOCKER.parent / "constraints.txt").read_text().splitlines()
    (torch,) = [line for line in constraints if line.startswith("torch==")]
    assert f'"{torch}+cpu"' in DOCKERFILE


def test_a_project_that_is_not_named_is_asked_for() -> None:
    with pytest.raises(AssertionError, match="name the folder of the study"):
        read_compose(COMPOSE, {})


def test_nothing_but_code_goes_to_the_engine() -> None:
    first, *others = [
        line
        for line in (DOCKER.parent / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    copied = {
        name
        for stage in read_dockerfile(DOCKERFILE).values()
        for line in stage.all("COPY")
        if not line.startswith("--from")
        for name in line.split()[:-1]
    }
    assert {line.removeprefix("!") for line in others if line.startswith("!")} == copied
    assert all((DOCKER.parent / name).exists() for name in copied)


def test_the_guard_needs_nothing_that_its_image_lacks() -> None:
    script = (
        "import sys, cli.app, cli.tracking_server, hnmets.tracking.team_server\n"
        "import hnmets.workflows.tracking_server, hnmets.workflows.tracking_app\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(DOCKER.parent),
    )
    lacking = {"torch", "duckdb", "polars", "monai", "SimpleITK", "optuna", "numba", "filelock"}
    assert not lacking & set(done.stdout.split())
