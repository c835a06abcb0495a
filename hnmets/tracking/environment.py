"""What a result may depend on besides data and settings: code, libraries, machine."""

import hashlib
import platform
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import distributions

from hnmets.tracking.checkout import Checkout, find_checkout
from hnmets.tracking.machine import Processor, accelerators, processor
from hnmets.tracking.privacy import Privacy

# Whoever changes one of these may change a value.
DEFINING = (
    "duckdb",
    "hnmets",
    "monai",
    "nibabel",
    "numpy",
    "polars",
    "pyradiomics-bhklab",
    "PyWavelets",
    "scikit-learn",
    "scipy",
    "SimpleITK",
    "statsmodels",
    "torch",
)
_SECRET = re.compile(r"(?i)(token|password|passwd|secret|api[-_]?key|credential)")
HIDDEN = "[hidden]"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where and with what a run was made.

    Parameters
    ----------
    packages_hash
        SHA-256 over name and version of everything installed.
    libraries
        Versions of those that define values.
    checkout
        None where the code was installed from a wheel.
    command
        As it was typed, without folders, names and secrets.
    """

    python: str
    system: str
    packages_hash: str
    libraries: dict[str, str]
    processor: Processor
    accelerators: tuple[str, ...]
    checkout: Checkout | None
    command: str

    @property
    def tags(self) -> dict[str, str]:
        """The few that are worth a column of the run table; `git_commit` only in a checkout."""
        code = (
            {"git_commit": self.checkout.commit, "git_dirty": str(self.checkout.dirty).lower()}
            if self.checkout
            else {}
        )
        return {
            **code,
            "hnmets_version": self.libraries.get("hnmets", ""),
            "packages_hash": self.packages_hash[:12],
            "python": self.python,
            "device": "; ".join(self.accelerators) or "CPU",
        }

    def as_json(self) -> dict[str, object]:
        """Return everything as a JSON object, for an artifact."""
        return asdict(self)


def capture(arguments: Sequence[str], *, privacy: Privacy) -> Environment:
    """Look around.

    Parameters
    ----------
    arguments
        Of the command line, without the program: `sys.argv[1:]`.
    """
    installed = _installed()
    return Environment(
        python=platform.python_version(),
        # Not platform.platform(): kernels of one's own carry the machine's name at times.
        system=f"{platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}".strip(),
        packages_hash=hash_of(f"{name}=={version}" for name, version in installed.items()),
        libraries={name: installed[_canonical(name)] for name in _present(installed)},
        processor=processor(),
        accelerators=accelerators(),
        checkout=find_checkout(),
        command=scrubbed(arguments, privacy=privacy),
    )


def hash_of(lines: Iterable[str]) -> str:
    """Return the SHA-256 of lines in any order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def scrubbed(arguments: Sequence[str], *, privacy: Privacy) -> str:
    """Return a command line that can be shown.

    Examples
    --------
    >>> scrubbed(["ablate", "--out=/home/jane/x", "--api-key", "abc"],
    ...          privacy=Privacy(user="jane"))
    "hnmets ablate '--out=[path]' --api-key '[hidden]'"
    """
    # Not the program's own name: it may be somebody's script.
    words, hide_next = ["hnmets"], False
    for argument in arguments:
        option, equals, value = argument.partition("=")
        is_secret = option.startswith("-") and _SECRET.search(option) is not None
        if hide_next and not argument.startswith("-"):
            words.append(HIDDEN)
        elif equals:
            words.append(f"{option}={HIDDEN if is_secret else privacy.text(value)}")
        else:
            words.append(privacy.text(argument))
        hide_next = is_secret and not equals
    return shlex.join(words)


def _installed() -> dict[str, str]:
    found = {_canonical(each.metadata["Name"]): each.version for each in distributions()}
    return dict(sorted(found.items()))


def _present(installed: dict[str, str]) -> list[str]:
    return [name for name in DEFINING if _canonical(name) in installed]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
