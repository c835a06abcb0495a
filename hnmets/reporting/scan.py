"""The summary of a scan, as Markdown and as one HTML file that needs nothing else."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from feature_store.plain import escaped
from hnmets.domain.errors import NEXT_STEPS
from hnmets.reporting.templating import page_environment, template
from hnmets.sources.dicom.scanned import Scan, ScannedPatient

MARKDOWN, HTML = "summary.md", "summary.html"
PATIENT_COLUMNS = (
    "patient",
    "series",
    "slices",
    "spacing, mm",
    "kVp",
    "kernel",
    "contrast",
    "regions found → role",
)
LEFT_OUT_COLUMNS = ("patient", "code", "what was met")
NOTICE_COLUMNS = ("patient", "where", "code", "what was let pass")
NAME_COLUMNS = ("name", "patients", "verdict", "role", "rule")
FILE_COLUMNS = ("what", "files")


def scan_pages(scan: Scan) -> dict[str, str]:
    """Return both pages by file name; equal scans give equal text."""
    html = (
        page_environment()
        .get_template("scan.html.j2")
        .render(
            scan=scan,
            tables=_tables(scan),
            steps=_steps(scan),
            style=Markup(template("style.css")),  # noqa: S704 - our own file
        )
    )
    return {MARKDOWN: _markdown(scan), HTML: html}


def patient_cells(patient: ScannedPatient) -> tuple[str | int, ...]:
    """Return a patient's line, in the order of `PATIENT_COLUMNS`."""
    slice_mm, row_mm, column_mm = patient.spacing_mm
    made = patient.acquisition
    return (
        patient.patient,
        patient.series,
        patient.slices,
        f"{slice_mm:.4g} × {row_mm:.4g} × {column_mm:.4g}",
        "–" if made.kvp is None else f"{made.kvp:g}",
        made.kernel,
        made.contrast,
        "; ".join(f"{name} → {role}" for role, name in patient.found.items()),
    )


def _tables(scan: Scan) -> list[tuple[str, str, tuple[str, ...], list[tuple[object, ...]]]]:
    """Return title, identifier, columns and rows of each table."""
    left_out = [(row.case_id, row.code, row.what) for row in scan.qc if row.left_out]
    notices = [(row.case_id, row.where, row.code, row.what) for row in scan.qc if not row.left_out]
    names = [(n.name, n.patients, n.verdict, n.role, n.rule) for n in scan.names]
    return [
        ("Patients", "patients", PATIENT_COLUMNS, [*map(patient_cells, scan.patients)]),
        ("Left out", "left-out", LEFT_OUT_COLUMNS, [*left_out]),
        ("Let pass, worth a look", "notices", NOTICE_COLUMNS, [*notices]),
        ("Names of regions", "names", NAME_COLUMNS, [*names]),
        ("Files of the export", "files", FILE_COLUMNS, [*scan.kinds.items()]),
    ]


def _steps(scan: Scan) -> dict[str, str]:
    return {failure.code.value: NEXT_STEPS[failure.code] for failure in scan.failures}


def _markdown(scan: Scan) -> str:
    lines = [
        "# Scan of a DICOM export",
        "",
        f"{len(scan.patients)} patients can be used, {len(scan.failures)} were left out. "
        f"Rules: {_plain(scan.rules)}.",
        "",
        *(f"- {_plain(remark)}" for remark in scan.remarks),
    ]
    for title, _, columns, rows in _tables(scan):
        lines += ["", f"## {title}", "", *_grid(columns, rows)]
        if title == "Left out" and rows:
            lines += ["", *(f"- {code}: {step}" for code, step in _steps(scan).items())]
    return "\n".join(lines) + "\n"


def _grid(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    body = ["| " + " | ".join(map(_plain, row)) + " |" for row in rows]
    if not body:
        return ["none"]
    return ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns), *body]


def _plain(cell: object) -> str:
    """Return a cell in which nothing is Markdown or HTML."""
    safe = escaped(str(cell)).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{sign}" if sign in "\\|*_`[]#" else sign for sign in safe)
