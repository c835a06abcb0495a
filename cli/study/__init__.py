"""`hnmets study …`: the study file."""

import typer

from cli.study.schema import schema
from cli.study.show import show

app = typer.Typer(name="study", help="Look at the study file.", no_args_is_help=True)
app.command()(show)
app.command()(schema)
