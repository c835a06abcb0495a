"""`hnmets models …`: versions of a study's model, from registration to promotion."""

import typer

from cli.models.card import card
from cli.models.compare import compare
from cli.models.export import export
from cli.models.listing import listing
from cli.models.promote import promote
from cli.models.register import register
from cli.models.rollback import rollback
from cli.models.show import show
from cli.models.verify import verify

app = typer.Typer(
    name="models", help="Register, compare, promote and check models.", no_args_is_help=True
)
app.command("register")(register)
app.command("list")(listing)
app.command("show")(show)
app.command("compare")(compare)
app.command("card")(card)
app.command("promote")(promote)
app.command("rollback")(rollback)
app.command("verify")(verify)
app.command("export")(export)
