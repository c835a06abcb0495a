"""What commands show: tables and hints for people, one JSON document for programs."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from feature_store.plain import escaped
from hnmets.domain.case import Failure

Cell = str | int | float | None
Advance = Callable[[str, int, int], None]
# What takes less needs no log of its progress.
_PAUSE_S = 5.0


def show_json(document: object) -> None:
    """Print the one document of `--json` on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table on stdout, or a line that says that it is empty."""
    console = Console()
    if not rows:
        console.print(f"{escape(title)}: none", highlight=False)
        return
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], int | float | None) for row in rows)
        table.add_column(escape(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    console.print(table)


def show_facts(title: str, facts: Mapping[str, Cell]) -> None:
    """Print names and values, one a line."""
    console = Console()
    console.print(f"[bold]{escape(title)}[/bold]", highlight=False)
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        console.print(f"  {escape(name):<{width}}  {_text(value)}", highlight=False)


def show_failures(failures: Sequence[Failure]) -> None:
    """Print who was left out, why, and what to do; each kind of problem explains itself once."""
    if not failures:
        return
    rows = [(f.case_id, f.code.value, f.stage, f.detail) for f in failures]
    show_table("left out", ("case", "code", "stage", "what was met"), rows)
    for code, step in {f.code: f.next_step for f in failures}.items():
        say(f"  {code}: {step}")


def say(line: str) -> None:
    """Print a line for people on stdout."""
    _print(Console(), line)


def hint(line: str) -> None:
    """Print a line on stderr: never part of a command's result."""
    _print(Console(stderr=True), line)


@contextmanager
def progress_bar(*, quiet: bool, clock: Callable[[], float] = time.monotonic) -> Iterator[Advance]:
    """Yield `advance(what, done, total)`: a bar on a terminal's stderr, else a line at times."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _what, _done, _total: None
        return
    if not console.is_terminal:
        yield _lines(clock)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("starting", total=None)

        def advance(what: str, done: int, total: int) -> None:
            progress.update(task, description=escape(what), completed=done, total=total)

        yield advance


def _lines(clock: Callable[[], float]) -> Advance:
    """Return what writes progress for a log: each tenth a line, and none in quick succession."""
    shown, last_s = (-1, 0), clock()

    def advance(what: str, done: int, total: int) -> None:
        nonlocal shown, last_s
        place, now_s = (10 * done // max(total, 1), total), clock()
        if place != shown and now_s - last_s >= _PAUSE_S:
            shown, last_s = place, now_s
            hint(f"{what}: {done} of {total}" if what else f"{done} of {total}")

    return advance


def _print(console: Console, text: str) -> None:
    """Print our own line breaks, and no other control character."""
    console.print("\n".join(map(plain, text.split("\n"))), highlight=False, soft_wrap=True)


def _text(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return plain(str(cell))


def plain(text: str) -> str:
    """Return a text that neither colours nor moves the cursor: it may come from a table."""
    return escape(escaped(text))
