"""`hnmets features verify`: whether everything in the store is what was written."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cli import options, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.finding import Finding
    from hnmets.workflows.features_audit import AuditCoverage


def verify(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Check every shard, the database and what readers see against each other."""
    from feature_store.verify import verify as check
    from hnmets.workflows.features_audit import coverage
    from hnmets.workflows.study import load_study

    settings = load_study(study)
    findings = check(settings.store_folder)
    audits = () if findings else coverage(settings)
    if json:
        show_findings_as_json(findings, audits)
    elif findings:
        rows = [(f.code, f.what, f.next_step) for f in findings]
        render.show_table("verify", ("code", "what", "next step"), rows)
    else:
        render.say("the store is whole")
        for audit in audits:
            render.say(str(audit))
    raise typer.Exit(3 if findings else 0)


def show_findings_as_json(
    findings: "Sequence[Finding]", audits: "Sequence[AuditCoverage]"
) -> None:
    """Print what is wrong, and how much of the radiomics PyRadiomics has confirmed."""
    render.show_json(
        {"findings": [asdict(each) for each in findings], "audit": [asdict(a) for a in audits]}
    )
