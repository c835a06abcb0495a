"""What an image and a service have to be (D60): each rule yields what breaks it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.docker.files import Stage, lineage

Compose = Mapping[str, Any]
Stages = Mapping[str, Stage]
# A version to its last digit: `17.6-bookworm`, `0.1.0`, `3.12.12-slim-bookworm`.
_EXACT = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?(@sha256:[0-9a-f]{64})?")
_SECRET = re.compile(r"(?i)(token|password|passwd|secret|api_?key|credential)")
_TOOLS = ("gcc", "g++", "make", "build-essential", "libc6-dev", "curl", "wget", "git")
IMAGES = ("train-cpu", "train-cuda", "serve", "tracking")
# What runs by itself, and not to an end.
LASTING = ("postgres", "tracking", "serve")


def exact_bases(stages: Stages) -> Iterator[str]:
    for stage in stages.values():
        if stage.base not in stages and not _EXACT.fullmatch(stage.base):
            yield f"stage {stage.name} starts from {stage.base}"


def ordinary_user(stages: Stages) -> Iterator[str]:
    for image in IMAGES:
        users = stages[image].all("USER")
        if not users or users[-1].split(":")[0] in {"root", "0"}:
            yield f"image {image} runs as {users[-1:] or 'root'}"


def no_compiler(stages: Stages) -> Iterator[str]:
    for image in IMAGES:
        for stage in lineage(stages, image):
            for line in stage.all("RUN"):
                yield from (f"{image} has {tool}" for tool in _TOOLS if tool in line.split())


def no_secret_in_layers(stages: Stages) -> Iterator[str]:
    for stage in stages.values():
        for word in ("ENV", "ARG"):
            for line in stage.all(word):
                if _SECRET.search(line):
                    yield f"stage {stage.name}: {word} {line}"


def only_what_is_needed(stages: Stages) -> Iterator[str]:
    for stage in stages.values():
        for word in ("COPY", "ADD"):
            for line in stage.all(word):
                if word == "ADD" or line.split()[0] in {".", "./"}:
                    yield f"stage {stage.name}: {word} {line}"


def pinned_packages(stages: Stages) -> Iterator[str]:
    for stage in stages.values():
        for line in stage.all("RUN"):
            for command in re.split(r"&&|;", line):
                if "pip install" in command and "--constraint constraints.txt" not in command:
                    yield f"stage {stage.name}: {command.strip()}"


def words_and_no_shell(stages: Stages) -> Iterator[str]:
    for image in IMAGES:
        for line in stages[image].all("ENTRYPOINT") or ["nothing"]:
            if not line.startswith("["):
                yield f"image {image} starts by {line}"


def read_only(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        if service.get("read_only") is not True:
            yield f"{name} can change its image"
        if not any(str(each).startswith("/tmp:") for each in service.get("tmpfs", ())):  # noqa: S108 - of a container
            yield f"{name} has no /tmp of its own"


def no_rights(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        if service.get("cap_drop") != ["ALL"] or "cap_add" in service:
            yield f"{name} keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", ()):
            yield f"{name} may gain privileges"
        if service.get("privileged") or {"pid", "ipc", "network_mode"} & set(service):
            yield f"{name} shares what is the machine's"
        if str(service.get("user", "0")).split(":")[0] in {"root", "0"}:
            yield f"{name} is root"


def limits(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        yield from (f"{name} has no {x}" for x in ("mem_limit", "pids_limit") if x not in service)


def health(compose: Compose) -> Iterator[str]:
    for name in LASTING:
        test = compose["services"][name].get("healthcheck", {}).get("test", [])
        if test[:1] != ["CMD"]:
            yield f"{name} has no health check that runs without a shell"
        if {"curl", "wget"} & set(test):
            yield f"{name} is asked by a program that its image lacks"


def exact_images(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        if not _EXACT.fullmatch(service.get("image", "")):
            yield f"{name} runs {service.get('image')}"


def secrets_in_files(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        yield from _shown_variables(name, service.get("environment", {}))
        if any(map(_SECRET.search, service.get("command", ()))):
            yield f"{name} has a secret in its command"
    for name, secret in compose["secrets"].items():
        if set(secret) != {"file"}:
            yield f"secret {name} is no file"


def _shown_variables(name: str, variables: Mapping[str, object]) -> Iterator[str]:
    for variable, value in variables.items():
        in_file = variable.endswith("_FILE") and str(value).startswith("/run/secrets/")
        if _SECRET.search(variable) and not in_file:
            yield f"{name} has {variable} in its environment"
        if re.search(r"//[^/@\s]+:[^/@\s]+@", str(value)):
            yield f"{name} has a password in {variable}"


def nobody_outside(compose: Compose) -> Iterator[str]:
    for network in ("database", "team"):
        if compose["networks"][network] != {"internal": True}:
            yield f"network {network} leads out"
    if compose["services"]["postgres"].get("networks") != ["database"]:
        yield "PostgreSQL is in another network"
    for name, service in compose["services"].items():
        for port in service.get("ports", ()):
            if name == "postgres" or not str(port).startswith("127.0.0.1:"):
                yield f"{name} is open to other machines at {port}"


OF_IMAGES: tuple[Callable[[Stages], Iterator[str]], ...] = (
    exact_bases,
    ordinary_user,
    no_compiler,
    no_secret_in_layers,
    only_what_is_needed,
    pinned_packages,
    words_and_no_shell,
)
OF_SERVICES: tuple[Callable[[Compose], Iterator[str]], ...] = (
    read_only,
    no_rights,
    limits,
    health,
    exact_images,
    secrets_in_files,
    nobody_outside,
)
