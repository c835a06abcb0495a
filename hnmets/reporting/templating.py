"""Templates and the page's style: what every HTML page of the program is made with."""

from importlib.resources import files

import jinja2

from feature_store.plain import escaped


def page_environment() -> jinja2.Environment:
    """Return an environment whose templates escape every text and know no undefined name."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Control and bidirectional characters would change what stands beside them.
        finalize=lambda value: escaped(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template(name: str) -> str:
    """Return the text of a template or of the style sheet."""
    return files("hnmets.reporting").joinpath("templates", name).read_text(encoding="utf-8")
