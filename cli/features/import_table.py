"""`hnmets features import`: features that others computed."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli import options, render


class Kind(StrEnum):
    """Families of imported features."""

    EMBEDDING = "embedding"
    RADIOMICS = "radiomics"
    TABLE = "table"


TableFile = Annotated[Path, typer.Argument(help="CSV, TSV, Excel or Parquet; one row per case.")]
Name = Annotated[str, typer.Option("--name", help="Name of the feature set, such as ct-fm.")]
KindOption = Annotated[Kind, typer.Option("--kind", help="Family of the features.")]
CaseColumn = Annotated[str, typer.Option("--case-column", help="Column with the case ids.")]
MadeBy = Annotated[str, typer.Option("--made-by", help="Software, version, weights; recorded.")]
Despite = Annotated[
    str, typer.Option("--despite", help="Why suspicious columns may enter; recorded.")
]


def import_table(
    table: TableFile,
    name: Name,
    kind: KindOption,
    case_column: CaseColumn,
    study: options.StudyFile = options.DEFAULT_STUDY,
    made_by: MadeBy = "",
    despite: Despite = "",
    json: options.Json = False,
) -> None:
    """Bring in features from a table, after the checks that every feature set passes."""
    from hnmets.workflows import features_import as workflow
    from hnmets.workflows.study import load_study

    request = workflow.ImportRequest(
        table=table,
        name=name,
        kind=kind.value,
        case_column=case_column,
        made_by=made_by,
        despite=despite,
    )
    done = workflow.run(load_study(study), request)
    if json:
        render.show_json(asdict(done))
        return
    render.say(f"{done.label}: {done.rows} rows, {len(done.missing)} cases without one")
    for remark in done.remarks:
        render.say(f"remark: {remark}")
