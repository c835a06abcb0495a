"""`hnmets cohort …`: who is in the study."""

import typer

from cli.cohort.check import check
from cli.cohort.synth import synth

app = typer.Typer(
    name="cohort", help="Check a cohort, or make a synthetic one.", no_args_is_help=True
)
app.command()(check)
app.command()(synth)
