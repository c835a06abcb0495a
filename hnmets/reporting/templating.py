"""Templates and the page's style: what every HTML page of the program is made with."""

from base64 import b64encode
from importlib.resources import files

import jinja2
from markupsafe import Markup

from feature_store.plain import escaped
from hnmets.evaluation.estimate import Estimate
from hnmets.reporting.number_text import decimal, p_text, percent


def page_environment() -> jinja2.Environment:
    """Return what all pages share: escaping, and the way in which numbers are written.

    No template knows an undefined name. Every number stands in a `data` element, with its full
    precision as the `value`.
    """
    found = jinja2.Environment(
        loader=jinja2.FunctionLoader(template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Control and bidirectional characters would change what stands beside them.
        finalize=lambda value: escaped(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # All of them here: pages share macros, and jinja compiles a macro that nobody calls, too.
    found.filters |= {"num": _number, "share": _share, "p": _p_value, "png": _png}
    found.tests["estimate"] = lambda value: isinstance(value, Estimate)
    return found


def template(name: str) -> str:
    """Return the text of a template or of the style sheet."""
    return files("hnmets.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def _data(value: float, text: str) -> Markup:
    return Markup('<data value="{}">{}</data>').format(repr(value), text)


def _number(value: float, digits: int = 3) -> Markup:
    return _data(value, decimal(value, 0 if isinstance(value, int) else digits))


def _share(value: float) -> Markup:
    return _data(value, percent(value))


def _p_value(value: float) -> Markup:
    return _data(value, p_text(value))


def _png(content: bytes) -> str:
    """Return a picture as an address that holds it."""
    return f"data:image/png;base64,{b64encode(content).decode()}"
