"""Nothing that names a person, a machine or a folder leaves with a run."""

import getpass
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hnmets.tracking.base import Artifact, NewRun

# Accounts and machines that are nobody in particular, and ordinary words besides.
_NOBODY = frozenset({"admin", "docker", "hnmets", "localhost", "nobody", "root", "runner", "user"})
_SHORTEST_WORD = 3
_ABSOLUTE = re.compile(
    r"""file:/+[^\s,;'"]+          # file:///data/x
    | (?<![\w/.])~?/[^\s/,;'"]+(?:/[^\s/,;'"]*)*  # /data/x and ~/x, but neither 1/2 nor https://x
    | (?<!\w)[A-Za-z]:\\[^\s,;'"]*  # C:\x
    | \\\\[^\s,;'"]+             # \\server\share""",
    re.VERBOSE,
)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
PATH, USER, HOST = "[path]", "[user]", "[host]"


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """What must not be told, and how it is replaced.

    Parameters
    ----------
    folders
        Absolute folders that are replaced wherever they stand, in files of text too.
    user, host
        Replaced in tags, parameters and names, where they stand as words.
    """

    folders: tuple[str, ...] = ()
    user: str = ""
    host: str = ""

    @classmethod
    def of(cls, project: Path) -> "Privacy":
        """Return what this account, this machine and the folder of the study would give away."""
        folders = {str(Path.home()), str(project.absolute()), str(project.resolve())}
        return cls(
            # A folder inside of another goes first, or half of it would stay.
            folders=tuple(sorted(folders - {"/"}, key=len, reverse=True)),
            user=_user(),
            host=socket.gethostname(),
        )

    def text(self, text: str) -> str:
        """Return a value without paths, credentials, user and host; a path may hold blanks.

        Examples
        --------
        >>> Privacy(user="jane").text("read /data/x.csv of jane, tumour/ring 1/2")
        'read [path] of [user], tumour/ring 1/2'
        """
        if text.startswith(("/", "~/")) and "\n" not in text:
            return PATH
        clean = _ABSOLUTE.sub(PATH, self._without_folders(without_credentials(text)))
        for word, instead in ((self.user, USER), (self.host, HOST)):
            if len(word) >= _SHORTEST_WORD and word.lower() not in _NOBODY:
                pattern = rf"(?<![\w]){re.escape(word)}(?![\w])"
                clean = re.sub(pattern, instead, clean, flags=re.IGNORECASE)
        return clean

    def run(self, run: NewRun) -> NewRun:
        """Return a run whose name, tags, parameters and dataset tell nothing."""
        dataset = run.dataset and replace(
            run.dataset,
            name=self.text(run.dataset.name),
            description={
                key: self.text(value) if isinstance(value, str) else value
                for key, value in run.dataset.description.items()
            },
        )
        return replace(
            run,
            experiment=self.text(run.experiment),
            name=self.text(run.name),
            tags=self._values(run.tags),
            params=self._values(run.params),
            dataset=dataset,
        )

    def artifact(self, artifact: Artifact) -> Artifact:
        """Return a file without the known folders, if it is text; other files stay as they are."""
        try:
            text = artifact.content.decode()
        except UnicodeDecodeError:
            return artifact
        return replace(artifact, content=self._without_folders(text).encode())

    def _values(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: self.text(value) for name, value in values.items()}

    def _without_folders(self, text: str) -> str:
        for folder in self.folders:
            text = re.sub(rf"{re.escape(folder)}(?:/[^\s,;'\"<>]*)?", PATH, text)
        return text


def without_credentials(text: str) -> str:
    """Return a text whose addresses carry no name and password.

    Examples
    --------
    >>> without_credentials("http://jane:secret@example.org/x")
    'http://example.org/x'
    """
    return _CREDENTIALS.sub("//", text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's account without a name
        return ""
