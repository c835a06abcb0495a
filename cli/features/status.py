"""`hnmets features status`: what is in the store, also while a build runs."""

from typing import TYPE_CHECKING

from cli import options, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.snapshot import Coverage
    from hnmets.workflows.features_status import StoreState


def status(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Show how far each recipe is, who was left out, and whether a build runs."""
    from hnmets.workflows import features_status as workflow
    from hnmets.workflows.study import load_study

    state = workflow.run(load_study(study))
    if json:
        render.show_json(state.as_json())
    else:
        show_state(state)


def show_coverage(title: str, coverage: "Sequence[Coverage]") -> None:
    """Print how many cases each recipe has."""
    rows = [(c.recipe.label, len(c.recipe.columns), c.n_cases, len(c.missing)) for c in coverage]
    render.show_table(title, ("recipe", "features", "cases", "missing"), rows)


def show_state(state: "StoreState") -> None:
    """Print what the store has and what its writer is doing."""
    show_coverage("feature store", state.coverage)
    if state.altered:
        show_coverage("controls and perturbations", state.altered)
    problems = [(q.case_id, q.code, q.stage, q.detail) for q in state.quarantined]
    if problems:
        render.show_table("quarantined", ("case", "code", "stage", "what was met"), problems)
    render.say(state.activity)
