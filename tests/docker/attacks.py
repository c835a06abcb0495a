"""Attacks on a tracking server: what is sent, and what has to come back (DEMANDS, section D2).

`{run}` and `{experiment}` stand for a run that is there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_JSON = {"Content-Type": "application/json"}
_API = "/api/2.0/mlflow"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_LONG = "x" * 10_240


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One request.

    Parameters
    ----------
    wanted
        Statuses that are right.
    bare
        What a server without the guard answers, where that is not right.
    login
        Whether the attacker knows the token; a row may lie behind the login.
    """

    name: str
    path: str
    method: str = "POST"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wanted: tuple[int, ...]
    bare: int | None = None
    login: bool = True

    def __str__(self) -> str:
        return self.name


def _post(name: str, route: str, document: object, *wanted: int, **more: object) -> Attack:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Attack(
        name=name,
        path=route if route.startswith("/") else f"{_API}/{route}",
        body=body,
        headers=_JSON,
        wanted=wanted,
        **more,  # type: ignore[arg-type]
    )


def _get(name: str, path: str, *wanted: int, **more: object) -> Attack:
    return Attack(name=name, path=path, method="GET", wanted=wanted, **more)  # type: ignore[arg-type]


_LOGIN = {"login": False}
WITHOUT_LOGIN = (
    _get("pages", "/", 401, bare=200, **_LOGIN),
    _get("a version", "/version", 401, bare=200, **_LOGIN),
    _get("experiments", f"{_API}/experiments/search?max_results=9", 401, bare=200, **_LOGIN),
    _post("search runs", "runs/search", {"experiment_ids": ["0"]}, 401, bare=200, **_LOGIN),
    _post("a run", "runs/create", {"experiment_id": "0"}, 401, bare=200, **_LOGIN),
    _post("graphql", "/graphql", {"query": "{__typename}"}, 401, bare=200, **_LOGIN),
    _get("a job", "/ajax-api/3.0/jobs/x", 401, **_LOGIN),
    _post("start a job", "/ajax-api/3.0/jobs/", {}, 401, bare=422, **_LOGIN),
    _get("a file", f"{_FILES}/x", 401, **_LOGIN),
    Attack(
        name="bring a file",
        method="PUT",
        path=f"{_FILES}/x",
        body=b"x",
        wanted=(401,),
        bare=200,
        **_LOGIN,
    ),
    *(
        _get(f"wrong login {kind}", "/version", 401, headers={"Authorization": value}, **_LOGIN)
        for kind, value in {
            "token": "Bearer wrong",
            "password": "Basic eDp3cm9uZw==",
            "base64": "Basic %%%",
            "nothing": "Basic",
            "empty": "",
        }.items()
    ),
)

FOREIGN = (
    _get("foreign host", f"{_API}/experiments/search", 403, headers={"Host": "evil.example"}),
    _get("foreign host of pages", "/", 403, headers={"Host": "evil.example:5000"}),
    _get(
        "foreign host of the version", "/version", 403, headers={"Host": "evil.example"}, bare=200
    ),
    _get("health tells nothing", "/health", 200, headers={"Host": "evil.example"}, **_LOGIN),
    Attack(
        name="foreign origin",
        path=f"{_API}/experiments/create",
        body=b'{"name": "csrf"}',
        headers={**_JSON, "Origin": "https://evil.example"},
        wanted=(403,),
    ),
    Attack(
        name="another port of this machine",
        path=f"{_API}/experiments/create",
        body=b'{"name": "csrf 2"}',
        headers={**_JSON, "Origin": "http://localhost:8888"},
        wanted=(403,),
        bare=200,
    ),
    Attack(
        name="a form's text",
        path=f"{_API}/experiments/create",
        body=b'{"name": "csrf 3"}',
        headers={"Content-Type": "text/plain"},
        wanted=(400,),
    ),
)

LOCATIONS = (
    *(
        _post(f"files in {where}", "experiments/create", document, 400, bare=bare)
        for where, document, bare in (
            ("a folder", {"name": "l1", "artifact_location": "/tmp/hnmets-attack"}, 200),  # noqa: S108
            ("a file address", {"name": "l2", "artifact_location": "file:///etc"}, 200),
            (
                "the folder above",
                {"name": "l3", "artifact_location": "mlflow-artifacts:/../../x"},
                200,
            ),
            ("camel case", {"name": "l4", "artifactLocation": "/tmp/hnmets-attack"}, 200),  # noqa: S108
            ("a bucket", {"name": "l5", "artifact_location": "s3://evil/x"}, 200),
        )
    ),
    _post(
        "a location in a text", "experiments/create", b'"{\\"name\\": \\"l6\\"}"', 400, bare=200
    ),
    _post(
        "a location said twice",
        "experiments/create",
        b'{"name": "l7", "artifact_location": "/tmp/x", "artifact_location": ""}',
        422,
        bare=200,
    ),
)

SOURCES = tuple(
    _post(
        f"source {source}",
        "model-versions/create",
        {"name": "m", "source": source, "run_id": "{run}", "tags": tags},
        400,
    )
    for source in (
        "file:///etc",
        "/etc",
        "//proc/self/root",
        "mlflow-artifacts:/{experiment}/{run}/artifacts/../../../x",
        "mlflow-artifacts:/{experiment}/{run}/artifacts/%2e%2e/%2e%2e/x",
        "mlflow-artifacts:/x#/../../etc",
        "runs:/{run}/../../x",
        "http://evil.example/x",
        "s3://evil/x",
    )
    for tags in ([], [{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    # A prompt may have any text as source in MLflow, so long as it names no file.
    if not (tags and source.startswith(("mlflow-artifacts", "runs")))
)

_OUT = ("../../x", "%2e%2e/%2e%2e/x", "%252e%252e/x", "..%2f..%2fx", "%2fetc%2fpasswd", "..%5cx")
PATHS = (
    *(
        attack
        for out in _OUT
        for attack in (
            _get(f"fetch {out}", f"{_FILES}/{out}", 400, 404),
            _get(f"fetch by run {out}", f"/get-artifact?run_id={{run}}&path={out}", 400, 404),
            _get(f"list {out}", f"{_API}/artifacts/list?run_id={{run}}&path={out}", 400, 404),
            Attack(
                name=f"bring {out}",
                method="PUT",
                path=f"{_FILES}/{out}",
                body=b"x",
                wanted=(400, 404),
            ),
        )
    ),
    _get("a link out of the folder", f"{_FILES}/{{experiment}}/link", 400, 404),
)

CLOSED = (
    *(
        _post(f"closed: {path}", path, {}, 404)
        for path in (
            "/ajax-api/3.0/jobs/",
            "/ajax-api/3.0/jobs/search",
            "/ajax-api/3.0/mlflow/jobs/cancel/x",
            "/ajax-api/3.0/mlflow/scorer/invoke",
            "/ajax-api/3.0/mlflow/genai/evaluate/invoke",
            "/ajax-api/3.0/mlflow/prompt-optimization/jobs",
            "/ajax-api/3.0/mlflow/assistant/message",
            "/ajax-api/2.0/mlflow/gateway-proxy",
            "/ajax-api/2.0/mlflow/runs/create-promptlab-run",
            "/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x",
            "/api/2.0/mlflow/webhooks",
            "/api/3.0/mlflow/gateway/secrets/create",
            "/api/2.0/mlflow-artifacts/mpu/create/x",
            "/gateway/proxy/x/y",
            "/v1/traces",
            "/AJAX-API/3.0/jobs/",
            "/ajax-api/3.0/jobs/;x",
        )
    ),
    _post("closed: an empty part", "//ajax-api/3.0/jobs/", {}, 400, 404),
    _post("closed: an unsafe spelling", "/ajax-api/3.0/%2e%2e/3.0/jobs/", {}, 400, 404),
)

_METRIC = {"run_id": "{run}", "key": "auc", "timestamp": 1, "step": 0}
_BATCH = {"key": "auc", "timestamp": 1, "step": 0}
VALUES = (
    _post(
        "10 kB tag", "runs/set-tag", {"run_id": "{run}", "key": "t", "value": _LONG}, 400, bare=200
    ),
    _post(
        "10 kB tag in a batch",
        "runs/log-batch",
        {"run_id": "{run}", "tags": [{"key": "t", "value": _LONG}]},
        400,
        bare=200,
    ),
    _post("NaN", "runs/log-metric", {**_METRIC, "value": "NaN"}, 400, bare=200),
    _post("infinity", "runs/log-metric", {**_METRIC, "value": "-Infinity"}, 400, bare=200),
    _post(
        "NaN that is no JSON", "runs/log-metric", {**_METRIC, "value": float("nan")}, 422, bare=200
    ),
    _post(
        "a number beyond all",
        "runs/log-metric",
        json.dumps({**_METRIC, "value": 1}).replace('"value": 1', '"value": 1e999').encode(),
        400,
    ),
    _post(
        "NaN in a batch",
        "runs/log-batch",
        {"run_id": "{run}", "metrics": [{**_BATCH, "value": "NaN"}]},
        400,
        bare=200,
    ),
    _post("no end of brackets", "runs/search", b"[" * 100_000, 422),
    _post("no JSON", "runs/search", b"{", 422),
    Attack(
        name="compressed",
        path=f"{_API}/runs/search",
        body=b"x",
        headers={**_JSON, "Content-Encoding": "gzip"},
        wanted=(415,),
    ),
    _post("5 MiB of JSON", "runs/search", {"filter": "x" * 5 * 2**20}, 413),
)

ALL = (*WITHOUT_LOGIN, *FOREIGN, *LOCATIONS, *SOURCES, *PATHS, *CLOSED, *VALUES)
