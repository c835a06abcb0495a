"""`hnmets serve`: a registered model on the network."""

import logging
import sys
from typing import Annotated

import typer

from cli import options, render
from cli.models.version_options import Model

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")]
Hosts = Annotated[
    str | None,
    typer.Option("--allowed-hosts", help="Names under which it may be called, with commas."),
]
AtOnce = Annotated[int, typer.Option("--at-once", min=1, help="Requests worked on at a time.")]
Rows = Annotated[int, typer.Option("--rows", min=1, help="Most patients in one request.")]
PerMinute = Annotated[
    int | None,
    typer.Option("--per-minute", min=1, help="Most requests of one caller in a minute."),
]
Digits = Annotated[
    int | None, typer.Option("--digits", min=1, max=9, help="Digits of the risks that are told.")
]
Contributions = Annotated[
    bool,
    typer.Option("--contributions", help="Tell callers without a token what a risk stands on."),
]
Docs = Annotated[
    bool, typer.Option("--docs", help="Show the interface's page: not in production.")
]


def serve(
    study: options.StudyFile = options.DEFAULT_STUDY,
    model: Model = "champion",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    allowed_hosts: Hosts = None,
    at_once: AtOnce = 16,
    rows: Rows = 1000,
    per_minute: PerMinute = None,
    digits: Digits = None,
    contributions: Contributions = False,
    docs: Docs = False,
    quiet: options.Quiet = False,
) -> None:
    """Serve a model by HTTP; HNMETS_SERVE_TOKEN holds the token that callers have to send.

    HNMETS_SERVE_TOKEN_FILE names a file that holds it, as container engines hand secrets over.
    """
    from hnmets.domain.errors import UsageError
    from hnmets.serving.settings import ServeSettings
    from hnmets.workflows import serve as workflow
    from hnmets.workflows.study import load_study

    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING if quiet else logging.INFO, format="%(message)s"
    )
    try:
        settings = ServeSettings(
            host=host,
            port=port,
            token=workflow.token(),
            hosts=options.split(allowed_hosts),
            at_once=at_once,
            rows=rows,
            per_minute=per_minute,
            digits=digits,
            contributions=contributions,
            docs=docs,
        )
    except ValueError as error:
        raise UsageError(str(error)).with_note(f"export {workflow.TOKEN_VARIABLE}=…") from None
    workflow.run(
        load_study(study),
        settings,
        model=model,
        on_ready=lambda address: render.say(f"{address} serves {model}; Ctrl-C ends it"),
    )
