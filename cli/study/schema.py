"""`hnmets study schema`: what a study file may hold."""

from cli import render


def schema() -> None:
    """Print the JSON schema of the study file, for editors and checks."""
    from hnmets.workflows.study import json_schema

    render.show_json(json_schema())
