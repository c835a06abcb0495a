"""What the Dockerfile and the compose file say, as tests read them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DOCKER = Path(__file__).parents[2] / "docker"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?(?P<why>[^}]*))?\}")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of a Dockerfile: its base, and its instructions as pairs of word and rest."""

    name: str
    base: str
    lines: tuple[tuple[str, str], ...]

    def all(self, word: str) -> list[str]:
        """What follows a word, each time that it stands there."""
        return [rest for each, rest in self.lines if each == word]

    @property
    def entrypoint(self) -> list[str]:
        return list(json.loads(self.all("ENTRYPOINT")[-1]))


def read_dockerfile(text: str) -> dict[str, Stage]:
    """Return the stages by name, in their order."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    stages: dict[str, Stage] = {}
    lines: list[tuple[str, str]] = []
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            base, _, name = rest.partition(" AS ")
            lines = []
            name = name or str(len(stages))
            stages[name] = Stage(name=name, base=base.strip(), lines=())
        elif stages:
            lines.append((word.upper(), " ".join(rest.split())))
            stages[name] = Stage(name=name, base=stages[name].base, lines=tuple(lines))
    return stages


def lineage(stages: Mapping[str, Stage], name: str) -> list[Stage]:
    """Return a stage and those that it is built on, the first base last."""
    found = []
    while name in stages:
        found.append(stages[name])
        name = stages[name].base
    return found


def read_compose(text: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the compose file with its variables filled in, as Compose does it."""

    def filled(found: re.Match[str]) -> str:
        value = variables.get(found["name"]) or found["default"]
        assert value is not None, f"{found['name']}: {found['why']}"
        return value

    return dict(yaml.safe_load(_VARIABLE.sub(filled, text)))


def words(command: Sequence[str] | str) -> list[str]:
    """Return a command as the list of its words; a shell is not there to read a text."""
    assert not isinstance(command, str), command
    return list(command)
