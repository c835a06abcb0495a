"""`hnmets predict`: the risk of patients, by a registered model."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render
from cli.models.version_options import Model

if TYPE_CHECKING:
    from hnmets.registry.prediction import Prediction
    from hnmets.workflows.predict import Predicted

Cases = Annotated[
    str | None,
    typer.Option("--cases", "-c", help="Cases of the store, separated by commas; all by default."),
]
TableFile = Annotated[
    Path | None,
    typer.Option("--table", "-t", help="Table with the model's columns instead of the store."),
]
Image = Annotated[
    Path | None, typer.Option("--image", help="CT (NIfTI) of one patient, measured on the spot.")
]
Tumour = Annotated[Path | None, typer.Option("--tumour", help="Mask of its tumour.")]
Masks = Annotated[
    list[str] | None, typer.Option("--mask", help="Mask of another region: nodes=PATH.")
]
ClinicalValues = Annotated[
    str | None, typer.Option("--clinical", help="Its variables: age=63,sex=male.")
]
Contributions = Annotated[
    int, typer.Option("--contributions", min=0, help="How many of the strongest to show.")
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for one HTML page per patient.")
]
Members = Annotated[bool, typer.Option("--members", help="Show the risk by each member.")]
COLUMNS = ("case", "risk", "spread over members", "class", "remarks")
_PARTLY = 4


def predict(
    study: options.StudyFile = options.DEFAULT_STUDY,
    cases: Cases = None,
    table: TableFile = None,
    image: Image = None,
    tumour: Tumour = None,
    mask: Masks = None,
    clinical: ClinicalValues = None,
    model: Model = "champion",
    contributions: Contributions = 0,
    members: Members = False,
    out: Out = None,
    json: options.Json = False,
) -> None:
    """Predict cases of the store, of a table, or one CT; nothing of it is a diagnosis."""
    from hnmets.registry.predictor import Asked
    from hnmets.workflows import predict as workflow
    from hnmets.workflows.raw_case import RawCase
    from hnmets.workflows.study import load_study

    if sum(each is not None for each in (table, cases, image)) > 1:
        raise typer.BadParameter("give one of --cases, --table and --image")
    if image is None and (tumour or mask or clinical):
        raise typer.BadParameter("--tumour, --mask and --clinical go with --image")
    settings, asked = load_study(study), Asked(contributions=contributions, members=members)
    if image is not None:
        masks = _pairs(",".join(mask or ()))
        raw = RawCase(
            image=image,
            masks={name: Path(path) for name, path in masks.items()}
            | ({"tumour": tumour} if tumour else {}),
            clinical=_pairs(clinical or ""),
        )
        found = workflow.by_image(settings, raw, model=model, asked=asked)
    elif table is not None:
        found = workflow.by_table(settings, table, model=model, asked=asked)
    else:
        found = workflow.by_cases(settings, options.split(cases), model=model, asked=asked)
    pages = workflow.write_pages(found, out, on=datetime.now(UTC).date()) if out else []
    if json:
        render.show_json(found.as_json())
    else:
        show_predicted(found)
        for page in pages:
            render.say(f"page: {page}")
    raise typer.Exit(_PARTLY if found.refused else 0)


def _pairs(text: str) -> dict[str, str]:
    """Read `name=value,name=value`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if wrong := [part for part in parts if "=" not in part]:
        raise typer.BadParameter(f"'{wrong[0].partition(' ')[0]}' is not of the form name=value")
    split = [part.partition("=") for part in parts]
    names = [name.strip() for name, _, _ in split]
    if twice := [name for name in names if names.count(name) > 1]:
        raise typer.BadParameter(f"'{twice[0]}' is given twice")
    return {name: value.strip() for name, (_, _, value) in zip(names, split, strict=True)}


def show_predicted(found: "Predicted") -> None:
    """Print risks with what a reader has to know beside them."""
    render.show_table(
        f"risk of {found.package.predicts.text}, by version {found.version.number}",
        COLUMNS,
        [_row(each) for each in found.predictions],
    )
    for each in found.predictions:
        _show_more(each)
    if found.refused:
        rows = [(each.case_id, each.reason) for each in found.refused]
        render.show_table("no risk", ("case", "why"), rows)
    render.say("the spread over the members is no confidence interval; research use only")


def _row(each: "Prediction") -> tuple[str, ...]:
    verdict = "positive" if each.positive else "negative"
    return (
        each.case_id,
        f"{each.risk:.3f}",
        f"{each.spread:.3f}",
        f"{verdict} (from {each.threshold:.3f})",
        "; ".join(f"{flag.code}: {flag.text}" for flag in each.flags),
    )


def _show_more(each: "Prediction") -> None:
    if each.contributions:
        rows = [(c.name, c.log_odds) for c in each.contributions]
        render.show_table(
            f"{each.case_id}: log odds beyond the training mean", ("input", "log odds"), rows
        )
    if each.members:
        render.show_facts(f"{each.case_id}: risk by member", dict(each.members))
