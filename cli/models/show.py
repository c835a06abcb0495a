"""`hnmets models show`: what a version is, and what it has to be told."""

from cli import options, render
from cli.models.version_options import Version

COLUMNS = ("input", "type", "unit or categories", "feature set")


def show(
    version: Version = "champion",
    study: options.StudyFile = options.DEFAULT_STUDY,
    json: options.Json = False,
) -> None:
    """Show members, lineage and inputs of a version."""
    from hnmets.workflows.model_facts import facts_of, package_json
    from hnmets.workflows.predict import open_version
    from hnmets.workflows.study import load_study

    opened = open_version(load_study(study), version)
    if json:
        render.show_json(package_json(opened))
        return
    render.show_facts(f"{opened.registry.name} version {opened.version.number}", facts_of(opened))
    rows = [
        (c.name, c.type, c.unit or ", ".join(c.categories), c.feature_set)
        for c in opened.predictor.package.columns
    ]
    render.show_table("inputs", COLUMNS, rows)
