"""`hnmets train …`: networks that learn from the images."""

import typer

from cli.train.backbone import backbone

app = typer.Typer(
    name="train", help="Train networks on the images, fold by fold.", no_args_is_help=True
)
app.command("backbone")(backbone)


@app.callback()
def train() -> None:
    """Train networks on the images, fold by fold."""
