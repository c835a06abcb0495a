"""`hnmets tune show`: the trials of a search."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from hnmets.tuning.records import Record

Search = Annotated[str, typer.Argument(help="Name of the search: see `hnmets tune status`.")]
Most = Annotated[int, typer.Option("--most", min=1, help="Trials to show, the best first.")]
Fold = Annotated[str, typer.Option("--fold", help="Study within the search.")]
COLUMNS = ("trial", "state", "inner AUC", "settings")


def show(
    search: Search,
    study: options.StudyFile = options.DEFAULT_STUDY,
    fold: Fold = "everybody",
    most: Most = 10,
    json: options.Json = False,
) -> None:
    """Show the best trials of a study, why others failed, and which settings matter."""
    from hnmets.workflows import tune_status as workflow
    from hnmets.workflows.study import load_study

    found = workflow.trials(load_study(study), search, fold=fold)
    if json:
        render.show_json(found.as_json())
        return
    render.show_table(f"{search}, {fold}", COLUMNS, [_row(each) for each in found.best[:most]])
    if found.importance:
        facts = {name: round(value, 3) for name, value in found.importance.items()}
        render.show_facts("importance", facts)
    for reason, count in found.failures.items():
        render.say(f"failed: {count}, {reason}")


def _row(each: "Record") -> tuple[render.Cell, ...]:
    settings = ", ".join(f"{name} {_short(value)}" for name, value in each.params.items())
    value = None if each.value is None else f"{each.value:.3f}"
    return (each.number, each.state, value, settings)


def _short(value: str | float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
