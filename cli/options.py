"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from hnmets.domain.errors import UsageError

StudyFile = Annotated[
    Path, typer.Option("--study", "-s", help="Study file (TOML).", envvar="HNMETS_STUDY")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would run, then stop.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no hints.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes. [study: build.jobs]")
]
Cases = Annotated[
    str | None, typer.Option("--cases", help="Only these cases: ids separated by commas.")
]
SyntheticCases = Annotated[int, typer.Option("--cases", "-n", min=1, help="Patients to make.")]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same cohort, byte for byte.")]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="k-fold; centre: each centre is held out once; time: later patients are held out. "
        "[study: split.kind]",
    ),
]
DEFAULT_STUDY = Path("study.toml")


def split(text: str | None, *, known: str = "") -> tuple[str, ...]:
    """Return the comma-separated parts of an option; none where the option is not there.

    Parameters
    ----------
    known
        What could be named, for people.

    Raises
    ------
    UsageError
        If the option is there and names nothing: an empty variable of a script must not mean
        everything.

    Examples
    --------
    >>> split("HN-1, HN-2")
    ('HN-1', 'HN-2')
    >>> split(None)
    ()
    """
    parts = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    if text is not None and not parts:
        raise UsageError(f"an option names nothing: '{text}'").with_note(
            f"Choose of {known}, or leave the option out for all."
            if known
            else "Name something, or leave the option out for all."
        )
    return parts
