"""`hnmets explain`: what one patient's risk stands on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from hnmets.explanation.attribution import Attribution
    from hnmets.workflows.explain import Explanation
    from hnmets.workflows.explain_image import ImageExplanation

Case = Annotated[str, typer.Option("--case", "-c", help="Case id, as in the manifest.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Folder for figures and maps. [explanation-CASE]"),
]
Shuffles = Annotated[
    int,
    typer.Option(
        min=0,
        help="Draw the maps of so many networks with shuffled weights too: does a map depend on "
        "what was learned?",
    ),
]
_MOST = 10
# Adebayo et al. 2018: above, a map shows the picture and not the network.
_MOST_LEFT = 0.3


def explain(
    case: Case,
    study: options.StudyFile = options.DEFAULT_STUDY,
    out: Out = None,
    shuffles: Shuffles = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Divide a held-out patient's risk among modalities and columns, and show what is seen."""
    from hnmets.workflows import explain as workflow
    from hnmets.workflows.study import load_study

    folder = out or Path(f"explanation-{case}")
    with render.progress_bar(quiet=quiet or json) as advance:
        found = workflow.run(
            load_study(study),
            case,
            folder,
            shuffles=shuffles,
            on_step=lambda step: advance(step, 0, 1),
        )
    if json:
        render.show_json(found.as_json())
    else:
        _show(found)


def _show(found: "Explanation") -> None:
    seen = "with" if found.event else "without"
    render.say(
        f"{found.case_id}, {seen} the event: risk {found.risk:.3f} by {found.rung}, "
        f"fitted in {found.fold}, which holds the patient out"
    )
    _show_attribution("modalities", found.modalities)
    rows = [(drop.modality, drop.risk_without, drop.change) for drop in found.drops]
    render.show_table("with the training mean of a modality", ("modality", "risk", "change"), rows)
    _show_attribution("columns", found.columns)
    if isinstance(found.image, str):
        render.say(f"no image side: {found.image}")
    else:
        _show_image(found.image)
    for file in found.files:
        render.say(str(file))
    if found.run:
        render.say(f"the report of this ladder shows it too: hnmets report {found.run}")
    else:
        render.say("no run of this ladder is kept; after `hnmets ablate` its report shows it too")


def _show_attribution(what: str, found: "Attribution") -> None:
    rows = [
        (found.names[n], float(found.values[n]), float(found.standard_errors[n]) or None)
        for n in found.strongest[:_MOST]
    ]
    render.show_table(
        f"{what}: log odds {found.log_odds:.3f}, starting from {found.base:.3f}",
        ("name", "log odds added", "standard error"),
        rows,
    )
    if rest := len(found.names) - len(rows):
        render.say(f"{rest} more are in explanation.json")


def _show_image(found: "ImageExplanation") -> None:
    rows = [(o.region, o.voxels, o.look, o.look_and_contour) for o in found.occlusions]
    columns = ("region", "voxels", "log odds of its CT", "and of its contour")
    render.show_table(f"hidden from {found.network}", columns, rows)
    for method, share in found.shares.items():
        if share is None:
            render.say(f"{method}: nothing is attributed anywhere")
            continue
        flag = "; MOST LIES OUTSIDE: a shortcut until explained" if share.flagged else ""
        render.say(
            f"{method}: {share.inside:.0%} inside the tumour, {share.rim:.0%} within 1 cm, "
            f"{share.outside:.0%} outside (of the voxels: {share.voxels_outside:.0%}){flag}"
        )
    for method, left in found.weight_dependence.items():
        verdict = "depends on the weights" if abs(left) < _MOST_LEFT else "DOES NOT PASS"
        render.say(f"{method} of shuffled weights correlates by {left:.2f}: {verdict}")
    if not found.cam.tells_where:
        render.say("Grad-CAM has a single place in so small a crop and tells nothing of where")
    render.say(f"gradients add up within {found.gradients.completeness_error:.2%}")
