"""`hnmets models card`: the model card of a version."""

from cli import options, render
from cli.models.version_options import Version


def card(version: Version = "champion", study: options.StudyFile = options.DEFAULT_STUDY) -> None:
    """Print the model card, in Markdown: what was measured, and what nobody knows."""
    from hnmets.registry.card import as_markdown
    from hnmets.workflows.predict import open_version
    from hnmets.workflows.study import load_study

    opened = open_version(load_study(study), version)
    render.say(as_markdown(opened.predictor.opened.card, opened.version.elsewhere))
