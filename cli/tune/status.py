"""`hnmets tune status`: how far the searches of a study are."""

from typing import TYPE_CHECKING

from cli import options, render

if TYPE_CHECKING:
    from hnmets.workflows.tune import Progress

COLUMNS = ("search", "study", "planned", "ended", "running", "stale", "failed", "best inner AUC")


def status(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Show how far each search is; stale trials are those whose worker is gone."""
    from hnmets.workflows import tune_status as workflow
    from hnmets.workflows.study import load_study

    found = workflow.run(load_study(study))
    if json:
        render.show_json({name: [p.as_json() for p in each] for name, each in found.items()})
        return
    rows = [_row(name, each) for name, studies in found.items() for each in studies]
    render.show_table("searches", COLUMNS, rows)


def _row(search: str, each: "Progress") -> tuple[render.Cell, ...]:
    best = each.best.value if each.best else None
    return (
        search,
        each.study,
        each.planned,
        each.finished,
        each.running,
        each.stale,
        each.failed,
        None if best is None else f"{best:.3f}",
    )
