"""The program `hnmets`: its commands, and how a mistake ends."""

import signal
from types import FrameType
from typing import Annotated

import typer

from cli import cohort, features, study
from cli.ablate import ablate
from cli.demo import demo
from cli.doctor import doctor
from cli.init import init
from cli.render import hint
from cli.report import report
from cli.ui import ui
from feature_store.errors import StoreError
from hnmets.domain.errors import HnmetsError

app = typer.Typer(
    name="hnmets",
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
app.command()(ui)
app.command()(ablate)
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


_STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def main() -> None:
    """Run a command; a mistake the user can mend ends in a line, not in a traceback."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except (HnmetsError, StoreError) as error:
        hint(f"error: {error}")
        for note in getattr(error, "__notes__", ()):
            hint(f"  {note}")
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        hint(f"error: {error.filename or 'a file'}: {error.strerror or error}")
        hint("  Check that the path is a folder that you may write to.")
        raise SystemExit(1) from None
    except SystemExit as ended:
        if ended.code in _STOPPED:
            hint("stopped; what was finished is kept: run the same command to go on")
        raise


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Raised in the main thread, so that what a Ctrl-C cleans up is cleaned up here too.
    raise SystemExit(128 + signal.SIGTERM)
