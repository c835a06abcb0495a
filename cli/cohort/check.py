"""`hnmets cohort check`: the gate."""

from typing import TYPE_CHECKING

import typer

from cli import options, render
from hnmets.domain.errors import NEXT_STEPS

if TYPE_CHECKING:
    from hnmets.sources.dictionary import Variable
    from hnmets.workflows.cohort_check import Checked, Notice


def check(
    study: options.StudyFile = options.DEFAULT_STUDY,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Read table, images and masks; change nothing; say who is in, who is not, and why."""
    from hnmets.workflows import cohort_check as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"build.jobs": jobs})
    with render.progress_bar(quiet=quiet or json) as advance:
        checked = workflow.run(settings, on_case=advance)
    if json:
        render.show_json(checked.as_json())
    else:
        show(checked)
    raise typer.Exit(checked.exit_code)


def show(checked: "Checked") -> None:
    """Print the flow, the dictionary, what was not understood, and what needs a look."""
    flow = checked.flow
    steps = [("rows read", flow.read), *((f"– {e.code}", e.count) for e in flow.exclusions)]
    render.show_table("cohort flow", ("step", "cases"), [*steps, ("included", flow.included)])
    render.show_failures(checked.failures)
    rows = [
        (v.name, v.type, v.known, v.missing, _content(v), "yes" if v.predictor else "no", v.note)
        for v in checked.table.dictionary
    ]
    if rows:
        columns = ("variable", "type", "known", "missing", "content", "predictor", "note")
        render.show_table("data dictionary", columns, rows)
    if spellings := _spellings(checked.table.dictionary):
        render.show_table("read as", ("variable", "value", "written as"), spellings)
    findings = [
        (f.column, f.value, f.count, _rows(f.rows), f.problem, f.done)
        for f in checked.table.findings
    ]
    if findings:
        heads = ("column", "value", "times", "rows", "problem", "what was done")
        render.show_table("values that need a look", heads, findings)
    _show_notices(checked.notices)
    for warning in checked.table.warnings:
        render.say(f"warning: {warning}")
    if checked.table.unused_columns:
        render.say(f"columns not used: {', '.join(checked.table.unused_columns)}")
    render.say(_summary(checked))


def _spellings(dictionary: tuple["Variable", ...]) -> list[tuple[str, str, str]]:
    """Return what the table writes in another way than the study reads it."""
    written: dict[tuple[str, str], list[str]] = {}
    for variable in dictionary:
        for spelling, value, count in variable.translations:
            written.setdefault((variable.name, value), []).append(f"{spelling!r} {count}")
    return [(name, value, ", ".join(texts)) for (name, value), texts in written.items()]


def _show_notices(notices: tuple["Notice", ...]) -> None:
    """Print what was let pass; a flag that may mean a problem has its code and next step."""
    if not notices:
        return
    heads = ("where", "flag", "code", "cases", "most", "in case")
    render.show_table("image flags", heads, _flags(notices))
    for code in dict.fromkeys(notice.code for notice in notices if notice.code):
        cases = ", ".join(dict.fromkeys(n.case_id for n in notices if n.code == code))
        render.say(f"  {code}: {NEXT_STEPS[code]} Not left out: {cases}")


def _flags(notices: tuple["Notice", ...]) -> list[tuple[render.Cell, ...]]:
    """Return one row per flag: how many cases have it, and which has it most."""
    groups: dict[tuple[str, str], list[Notice]] = {}
    for notice in notices:
        groups.setdefault((notice.where, notice.flag), []).append(notice)
    rows: list[tuple[render.Cell, ...]] = []
    for (where, flag), found in groups.items():
        most = max(found, key=lambda n: n.value if isinstance(n.value, int | float) else 0)
        rows.append((where, flag, found[0].code, len(found), most.value, most.case_id))
    return rows


def _summary(checked: "Checked") -> str:
    events = "" if checked.events is None else f", {checked.events} with the event"
    return f"{checked.flow.included} cases of {checked.patients} patients{events}"


def _content(variable: "Variable") -> str:
    if variable.categories:
        return ", ".join(f"{name} {count}" for name, count in variable.categories.items())
    if variable.minimum is None:
        return ""
    return f"{variable.minimum:g} … {variable.median:g} … {variable.maximum:g} {variable.unit}"


def _rows(rows: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, rows[:6]))
    return f"{shown}, …" if len(rows) > 6 else shown
