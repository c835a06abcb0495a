"""`hnmets models verify`: whether a version is as it was registered."""

from cli import options, render
from cli.models.version_options import Version


def verify(
    version: Version = "champion",
    study: options.StudyFile = options.DEFAULT_STUDY,
    json: options.Json = False,
) -> None:
    """Compare every file with its digest, and every held-out risk with the evaluation."""
    from hnmets.workflows import models_verify as workflow
    from hnmets.workflows.study import load_study

    found = workflow.run(load_study(study), version)
    if json:
        render.show_json(found.as_json())
        return
    render.say(f"version {found.version.number}: every file is as it was registered")
    if found.replay is None:
        render.say("a refit: nobody has measured it, so that there is nothing to compare")
    else:
        render.say(f"largest difference from the evaluation: {found.replay:.1e}")
