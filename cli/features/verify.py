"""`hnmets features verify`: whether everything in the store is what was written."""

from dataclasses import asdict

import typer

from cli import options, render


def verify(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Check every shard, the database and what readers see against each other."""
    from feature_store.verify import verify as check
    from hnmets.workflows.study import load_study

    findings = check(load_study(study).store_folder)
    if json:
        render.show_json([asdict(finding) for finding in findings])
    elif findings:
        rows = [(f.code, f.what, f.next_step) for f in findings]
        render.show_table("verify", ("code", "what", "next step"), rows)
    else:
        render.say("the store is whole")
    raise typer.Exit(3 if findings else 0)
