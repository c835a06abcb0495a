"""`hnmets doctor`: whether everything is here that the work needs."""

from pathlib import Path

import typer

from cli import options, render


def doctor(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Check versions, device, disk, the store's lock and the installation."""
    from hnmets.workflows import doctor as workflow

    checks = workflow.examine(study if study.exists() else None, here=Path.cwd())
    if json:
        render.show_json([check.as_json() for check in checks])
    else:
        rows = [(c.name, "ok" if c.good else "PROBLEM", c.found, c.next_step) for c in checks]
        render.show_table("doctor", ("check", "state", "found", "next step"), rows)
    if not all(check.good for check in checks):
        raise typer.Exit(1)
