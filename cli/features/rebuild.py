"""`hnmets features rebuild`: make the database again from the shards."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from cli import options, render

if TYPE_CHECKING:
    from feature_store.finding import Finding


def rebuild(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Make the database again from the shards; nothing is measured again."""
    from feature_store.rebuild import rebuild as make_again
    from hnmets.workflows.study import load_study

    findings: list[Finding] = []
    rows = make_again(load_study(study).store_folder, on_finding=findings.append)
    if json:
        render.show_json({"rows": rows, "findings": [asdict(finding) for finding in findings]})
        return
    for finding in findings:
        render.say(f"remark: {finding}")
    render.say(f"{rows} rows from the shards")
