"""`hnmets features …`: fill the feature store and look into it."""

import typer

from cli.features.audit import audit
from cli.features.build import build
from cli.features.diff import diff
from cli.features.export import export
from cli.features.import_table import import_table
from cli.features.listing import listing
from cli.features.rebuild import rebuild
from cli.features.sheet import sheet
from cli.features.show import show
from cli.features.status import status
from cli.features.verify import verify

app = typer.Typer(
    name="features", help="Fill the feature store and look into it.", no_args_is_help=True
)
app.command("build")(build)
app.command("status")(status)
app.command("list")(listing)
app.command("show")(show)
app.command("export")(export)
app.command("import")(import_table)
app.command("sheet")(sheet)
app.command("diff")(diff)
app.command("verify")(verify)
app.command("audit")(audit)
app.command("rebuild")(rebuild)
