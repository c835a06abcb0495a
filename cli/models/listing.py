"""`hnmets models list`: the versions of the study's model."""

from dataclasses import asdict

from cli import options, render

COLUMNS = ("version", "called", "rung", "kind", "run", "registered (UTC)", "package")


def listing(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """List the versions, the newest first, and who is called what."""
    from hnmets.workflows.model_versions import model_registry
    from hnmets.workflows.study import load_study

    registry = model_registry(load_study(study))
    versions = registry.versions()
    if json:
        render.show_json({"model": registry.name, "versions": [asdict(v) for v in versions]})
        return
    rows = [
        (
            v.number,
            ", ".join(v.aliases),
            v.rung,
            v.kind,
            v.run[:8],
            v.created[:16].replace("T", " "),
            v.package[:12],
        )
        for v in versions
    ]
    render.show_table(f"versions of {registry.name}", COLUMNS, rows)
