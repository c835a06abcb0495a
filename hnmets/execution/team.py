"""Processes that work side by side until there is nothing left to do."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from hnmets.domain.errors import HnmetsError

_LOG = logging.getLogger(__name__)
# A process that is killed is started again; one that is killed so often will be killed again.
_STARTS = 3


class TeamError(HnmetsError):
    """A process of a team ended with an error, which it has told itself."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with exit code {code}")
        self.add_note("Its message stands above; what was finished before is kept.")


@dataclass(kw_only=True)
class Team:
    """Equal Python processes, in sessions of their own: Ctrl-C reaches them only through us.

    Parameters
    ----------
    arguments
        Of the Python interpreter.
    size
        Processes.
    environment
        Added to that of this process.
    """

    arguments: Sequence[str]
    size: int
    environment: Mapping[str, str] = field(default_factory=dict)
    _members: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _starts: int = 0

    def __enter__(self) -> Self:
        for _ in range(self.size):
            self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.finish()
        except BaseException:
            for member in self._members:
                member.kill()
            raise

    def at_work(self) -> bool:
        """Tell whether any process is at work; one that was killed is started again.

        Raises
        ------
        TeamError
            If one ended with an error of its own.
        """
        for member in [member for member in self._members if member.poll() is not None]:
            self._members.remove(member)
            code = member.returncode
            if code > 0 and code != 128 + signal.SIGINT:
                raise TeamError(code)
            if code < 0 and self._starts < self.size * _STARTS:
                _LOG.warning("a worker was killed by signal %d and is started again", -code)
                self._start()
        return bool(self._members)

    def finish(self) -> None:
        """Have every process finish what it is at, and wait for it."""
        for member in self._members:
            member.send_signal(signal.SIGTERM)
        for member in self._members:
            member.wait()
        self._members.clear()

    def _start(self) -> None:
        self._starts += 1
        self._members.append(
            subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, *self.arguments],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
