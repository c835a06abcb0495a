"""`hnmets cohort …`: who is in the study."""

import typer

from cli.cohort.check import check
from cli.cohort.scan import rules, scan
from cli.cohort.synth import synth

app = typer.Typer(
    name="cohort",
    help="Read a DICOM export, check a cohort, or make one up.",
    no_args_is_help=True,
)
app.command()(scan)
app.command()(rules)
app.command()(check)
app.command()(synth)
