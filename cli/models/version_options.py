"""How commands name a version."""

from typing import Annotated

import typer

Version = Annotated[
    str, typer.Argument(help="Number or alias: 3, champion, challenger, previous.")
]
Model = Annotated[
    str, typer.Option("--model", "-m", help="Number or alias of the version that answers.")
]
