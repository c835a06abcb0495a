"""The program `hnmets`: its commands, and how a mistake ends."""

import os
import signal
import sys
from difflib import get_close_matches
from threading import Timer
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import cohort, features, models, study, train, tune
from cli.ablate import ablate
from cli.demo import demo
from cli.doctor import doctor
from cli.evaluate import evaluate
from cli.explain import explain
from cli.init import init
from cli.predict import predict
from cli.render import hint
from cli.report import report
from cli.serve import serve
from cli.tracking_server import tracking_server
from cli.ui import ui
from feature_store.errors import StoreError
from hnmets.domain.errors import HnmetsError, UsageError


class _Commands(TyperGroup):
    """Looks for a mistyped command in the groups too: `bulid` is near `features build`."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - Typer's own Click
        found = super().get_command(ctx, cmd_name)
        if found is None and not get_close_matches(cmd_name, self.commands):
            within = [
                (leaf, f"`hnmets {group} {leaf}`")
                for group, each in self.commands.items()
                for leaf in getattr(each, "commands", ())
            ]
            near = get_close_matches(cmd_name, [leaf for leaf, _ in within], n=1)
            if meant := " or ".join(whole for leaf, whole in within if leaf in near):
                raise UsageError(f"no command '{cmd_name}'").with_note(f"Closest is {meant}.")
        return found


# Commands that find what they have finished before, after Ctrl-C too.
_GO_ON = ("cohort scan", "demo", "features audit", "features build", "train backbone", "tune")
app = typer.Typer(
    name="hnmets",
    cls=_Commands,
    help="Distant metastasis of head and neck cancer from CT, masks and clinical data. "
    "Research use only, not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(init)
app.add_typer(study.app, name="study")
app.add_typer(cohort.app, name="cohort")
app.add_typer(features.app, name="features")
app.add_typer(train.app, name="train")
app.add_typer(tune.app, name="tune")
app.add_typer(models.app, name="models")
app.command()(predict)
app.command()(serve)
app.command()(ui)
app.command("tracking-server")(tracking_server)
app.command()(ablate)
app.command()(evaluate)
app.command()(explain)
app.command()(report)
app.command()(demo)
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hnmets {version('hnmets')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # its callback acts
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Carry the options that stand before a command."""


class _Stop:
    """What Ctrl-C and its kin do: raise in the main thread, so that all clean up alike."""

    number: int | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        sys.unraisablehook = self._on_unraisable
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    def _on_unraisable(self, complaint: "sys.UnraisableHookArgs") -> None:
        # Raised inside a finaliser it is lost, and is sent again. Raised inside the constructor
        # of a library's object it leaves a half-made one, whose own complaint helps nobody.
        if isinstance(complaint.exc_value, KeyboardInterrupt | SystemExit):
            Timer(0.05, os.kill, (os.getpid(), self.number)).start()


def main() -> None:
    """Run a command; a mistake the user can mend ends in a line, not in a traceback."""
    stop = _Stop()
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # A closed terminal; `nohup` has it ignored, and means it.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, stop)
    try:
        app()
    # Libraries turn what a signal raises into errors of their own: DuckDB a `RuntimeError`.
    except BaseException as error:
        ended_well = isinstance(error, SystemExit) and not error.code  # `ui` waits for Ctrl-C
        if stop.number is not None and not ended_well:
            hint(_of_a_stop(" ".join(sys.argv[1:])))
            raise SystemExit(128 + stop.number) from None
        raise SystemExit(_exit_code_of(error)) from None


def _of_a_stop(words: str) -> str:
    """Say what is left of a command that was stopped."""
    trains = words.startswith("ablate") and "--backbones" in words
    if trains or words.startswith(_GO_ON):
        return "stopped; what was finished is kept: run the same command to go on"
    return "stopped before its end; the same command begins anew"


def _exit_code_of(error: BaseException) -> int | str | None:
    """Say what the user can mend; whatever else is raised is a defect and goes on."""
    match error:
        case HnmetsError() | StoreError():
            hint(f"error: {error}")
            for note in getattr(error, "__notes__", ()):
                hint(f"  {note}")
            return error.exit_code
        case OSError():
            hint(f"error: {error.filename or 'a file'}: {error.strerror or error}")
            hint("  Check that the path is a folder that you may write to.")
            return 1
        case SystemExit():
            return error.code
        case _:
            raise error
