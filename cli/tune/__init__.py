"""`hnmets tune`: search for settings, and measure what the search is worth."""

import typer

from cli.tune.export import export
from cli.tune.finish import finish
from cli.tune.run import tune
from cli.tune.show import show
from cli.tune.status import status

app = typer.Typer(invoke_without_command=True)
app.callback()(tune)
app.command()(status)
app.command()(show)
app.command()(finish)
app.command()(export)
