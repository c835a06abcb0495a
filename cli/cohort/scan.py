"""`hnmets cohort scan`: from a hospital's export folder to a cohort."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from hnmets.sources.dicom.scanned import Scan

Export = Annotated[Path, typer.Argument(help="Folder of the DICOM export, in any layout.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for manifest, masks, tables.")]
Rules = Annotated[
    Path | None,
    typer.Option("--rules", help="Rule file (TOML): which names are which region."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        help="File with the secret key of the pseudonyms; else HNMETS_PSEUDONYM_KEY is the key.",
        envvar="HNMETS_PSEUDONYM_KEY_FILE",
    ),
]
ScanJobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes.")]


def scan(
    export: Export,
    out: Out = Path("cohort"),
    rules: Rules = None,
    key_file: KeyFile = None,
    dry_run: options.DryRun = False,
    jobs: ScanJobs = 1,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Find CT and contours in a DICOM export; write manifest, masks and what was not trusted.

    With --dry-run nothing is written, and regions have their names as in the export.
    """
    from hnmets.sources.dicom.pseudonym import read_key
    from hnmets.sources.dicom.region_rules import read_rules
    from hnmets.workflows import cohort_scan as workflow

    pseudonyms = read_key(key_file, os.environ.get("HNMETS_PSEUDONYM_KEY"))
    request = workflow.Request(
        root=export, out=out, rules=read_rules(rules), pseudonyms=pseudonyms
    )
    work = workflow.preview if dry_run else workflow.run
    with render.progress_bar(quiet=quiet or json) as advance:
        found = work(request, jobs=jobs, on_case=advance)
    render.show_json(found.as_json()) if json else show(found, dry_run=dry_run)
    if not (dry_run or quiet or json):
        render.hint(f"next: hnmets cohort check --study {out / 'study.toml'}")
    raise typer.Exit(found.exit_code)


def rules() -> None:
    """Print the rule file for head and neck, to start from."""
    from hnmets.sources.dicom.region_rules import default_rules

    typer.echo(default_rules(), nl=False)


def show(found: "Scan", *, dry_run: bool) -> None:
    """Print who can be used, who cannot and why, and how regions are called."""
    from hnmets.reporting.scan import NAME_COLUMNS, PATIENT_COLUMNS, patient_cells

    render.show_table("patients", PATIENT_COLUMNS, [*map(patient_cells, found.patients)])
    render.show_failures(found.failures)
    notices = [(r.case_id, r.where, r.code or None, r.what) for r in found.qc if not r.left_out]
    if notices:
        render.show_table("let pass", ("case", "where", "code", "what"), notices)
    if dry_run:
        names = [(n.name, n.patients, n.verdict, n.role, n.rule) for n in found.names]
        render.show_table("names of regions", NAME_COLUMNS, names)
    render.say("files: " + ", ".join(f"{count} {kind}" for kind, count in found.kinds.items()))
    for remark in found.remarks:
        render.say(f"remark: {remark}")
    verb = "would be used" if dry_run else "written"
    render.say(f"{len(found.patients)} patients {verb}, {len(found.failures)} left out")
