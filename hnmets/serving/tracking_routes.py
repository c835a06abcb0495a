"""Which of MLflow's routes are open: those that runs, files, models and their pages need.

A list of what is allowed, so that what the next version of MLflow adds is closed. Closed are
jobs, gateways to other services, webhooks, assistants, scorers, prompts, traces, workspaces,
presigned and multipart uploads: hnmets uses none of them.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from starlette.types import Scope

from hnmets.serving.problems import Problem

HEALTH = "/health"
_FILES = re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/.+")
_PAGES = re.compile(
    r"/|/static-files/.+|/version|/graphql|/get-artifact|/model-versions/get-artifact"
)
_API = re.compile(r"/(?:ajax-)?api/[23]\.0/(?P<route>mlflow(?:-artifacts)?/.+)")
_OPEN = re.compile(
    r"""mlflow/
    (?: experiments/[a-z-]+
      | runs/(?!create-promptlab-run)[a-z-]+
      | metrics/[a-z-]+
      | registered-models/[a-z-]+
      | model-versions/[a-z-]+
      | logged-models(?:/.+)?
      | artifacts/list
      | server-info
      | ui-telemetry
    )
    | mlflow-artifacts/artifacts""",
    re.VERBOSE,
)
# By these names a query asks for a file.
_FILE_NAMES = frozenset({"path", "artifact_path", "artifact_file_path"})
# Absolute, a drive or a scheme, an empty part, or what some reader takes for an end.
_NO_NAME = re.compile(r"^/|^[A-Za-z][\w+.-]*:|//|[\\#?\x00-\x1f\x7f]")


def is_file(scope: Scope) -> bool:
    """Tell whether a request brings or fetches a file of a run."""
    return _FILES.fullmatch(scope["path"]) is not None


def require_open(scope: Scope) -> None:
    """Refuse a route that nobody needs, and a name that leads out of its folder.

    Raises
    ------
    Problem
        With status 404, or 400.
    """
    path: str = scope["path"]
    if not all(map(is_safe, _names(scope))):
        raise Problem(status=400, code="unsafe_path", message="a path leads out of its folder")
    api = _API.fullmatch(path)
    is_open = _PAGES.fullmatch(path) or (api and _OPEN.fullmatch(api["route"])) or is_file(scope)
    if not is_open:
        raise Problem(status=404, code="closed", message="this route is not open here")


def is_safe(name: str) -> bool:
    r"""Tell whether a relative name stays below its folder, however often it is unquoted.

    Examples
    --------
    >>> [is_safe(name) for name in ("1/run/artifacts/roc.png", "50%.txt", "")]
    [True, True, True]
    >>> [is_safe(name) for name in ("../x", "a/%252e%252e/x", "/etc/passwd", "a\\..\\x", "C:/x")]
    [False, False, False, False, False]
    """
    return all(_is_plain(form) for form in _unquoted(name))


def _is_plain(name: str) -> bool:
    return _NO_NAME.search(name) is None and not {".", ".."} & set(name.split("/"))


def _unquoted(name: str) -> Iterator[str]:
    """Yield a name, and what it becomes by unquoting as long as that changes it."""
    yield name
    while (inner := unquote(name)) != name:
        yield (name := inner)


def _names(scope: Scope) -> Iterator[str]:
    """Yield what could name a file: the path, and the values of a query that do."""
    yield scope["path"].removeprefix("/")
    query = scope.get("query_string", b"").decode("latin-1")
    yield from (value for name, value in parse_qsl(query) if name in _FILE_NAMES)
