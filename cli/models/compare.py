"""`hnmets models compare`: two versions on the patients whom both were measured by."""

from cli import options, render
from cli.models.version_options import Version


def compare(
    version: Version,
    other: Version = "champion",
    study: options.StudyFile = options.DEFAULT_STUDY,
    json: options.Json = False,
) -> None:
    """Compare two versions: their measures, and the paired difference of their AUCs."""
    from cli.ablate import interval
    from hnmets.workflows import models_compare as workflow
    from hnmets.workflows.study import load_study

    found = workflow.run(load_study(study), version, other)
    if json:
        render.show_json(found.as_json())
        return
    names = [f"version {found.first.number}", f"version {found.second.number}"]
    rows = [(name, *map(interval, pair)) for name, pair in found.measures.items()]
    render.show_table(found.title, ("measure", *names), rows)
    render.say(f"AUC of the first minus that of the second: {interval(found.difference)}")
