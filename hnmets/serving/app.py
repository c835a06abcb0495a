"""The service: a registered model answers by HTTP."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from hnmets.domain.errors import HnmetsError
from hnmets.registry.errors import UnknownCaseError
from hnmets.registry.inputs import InputTable
from hnmets.registry.prediction import Answer, Prediction, Refused, as_row
from hnmets.serving.asked import (
    InvocationsBody,
    PredictBody,
    Question,
    invocations_question,
    predict_question,
)
from hnmets.serving.disclosure import rounded
from hnmets.serving.guard import Guard
from hnmets.serving.holder import Holder
from hnmets.serving.metrics import Metrics
from hnmets.serving.problems import Problem, invalid
from hnmets.serving.settings import ServeSettings
from hnmets.serving.source import Loaded, ModelSource
from hnmets.serving.strict_body import json_of

NOTE = "Research use only, not a medical device."


def create_app(source: ModelSource, settings: ServeSettings) -> FastAPI:
    """Return the service; it opens its model when it starts, and another when there is one."""
    metrics = Metrics()
    holder = Holder(source, metrics)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        await run_in_threadpool(holder.refresh)
        looking = asyncio.create_task(holder.keep_fresh(settings.reload_s))
        yield
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking

    app = FastAPI(
        title="hnmets",
        description=NOTE,
        lifespan=lifespan,
        docs_url="/docs" if settings.docs else None,
        openapi_url="/openapi.json" if settings.docs else None,
        redoc_url=None,
    )
    app.add_middleware(Guard, settings=settings, metrics=metrics)
    app.add_exception_handler(HTTPException, _unknown)
    _add_probes(app, holder, metrics)
    _add_predictions(app, _Desk(holder, source, settings, metrics))
    return app


def _unknown(_request: Request, error: Exception) -> JSONResponse:
    """Answer what there is no route for, without repeating it."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "not_found", 405: "not_allowed"}.get(status, "refused")
    raise Problem(status=status, code=code, message="there is nothing of this kind here")


def _add_probes(app: FastAPI, holder: Holder, metrics: Metrics) -> None:
    @app.get("/ping", response_class=PlainTextResponse)
    @app.get("/health", response_class=PlainTextResponse)
    async def ping() -> PlainTextResponse:
        """Tell that the process lives."""
        return PlainTextResponse("\n")

    @app.get("/ready", response_class=PlainTextResponse)
    async def ready() -> PlainTextResponse:
        """Tell whether a model is loaded."""
        return PlainTextResponse("\n", status_code=200 if holder.is_ready else 503)

    @app.get("/version")
    async def version() -> dict[str, object]:
        """Tell which model answers."""
        return version_of(holder.loaded)

    @app.get("/schema")
    async def schema() -> dict[str, object]:
        """Tell what the model has to be told."""
        package = holder.loaded.predictor.package
        return {
            "predicts": package.predicts.text,
            "threshold": package.threshold,
            "policy": package.policy,
            "columns": [asdict(column) for column in package.columns],
        }

    @app.get("/metrics", response_class=PlainTextResponse)
    async def counters() -> PlainTextResponse:
        """Tell counters in Prometheus' text form."""
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")


def _add_predictions(app: FastAPI, desk: "_Desk") -> None:
    @app.post("/predict", openapi_extra=_body(PredictBody))
    async def predict(request: Request) -> JSONResponse:
        """Predict patients by value, or by the ids under which the store knows them."""
        loaded = desk.holder.loaded
        columns = loaded.predictor.package.columns
        document = json_of(await request.body())
        question = predict_question(document, columns, most_rows=desk.settings.rows)
        answers = await run_in_threadpool(desk.answers, loaded, question)
        return JSONResponse(
            {
                **version_of(loaded),
                "predictions": [a.as_json() for a in answers if isinstance(a, Prediction)],
                "refused": [a.as_json() for a in answers if isinstance(a, Refused)],
            }
        )

    @app.post("/invocations", openapi_extra=_body(InvocationsBody))
    async def invocations(request: Request) -> JSONResponse:
        """Predict a frame, as MLflow's own server does."""
        loaded = desk.holder.loaded
        columns = loaded.predictor.package.columns
        document = json_of(await request.body())
        question = invocations_question(document, columns, most_rows=desk.settings.rows)
        answers = await run_in_threadpool(desk.answers, loaded, question)
        return JSONResponse({"predictions": [as_row(answer) for answer in answers]})


class _Desk:
    """Where questions are answered, in a thread of their own."""

    def __init__(
        self, holder: Holder, source: ModelSource, settings: ServeSettings, metrics: Metrics
    ) -> None:
        self.holder = holder
        self.settings = settings
        self._source = source
        self._metrics = metrics

    def answers(self, loaded: Loaded, question: Question) -> Sequence[Answer]:
        """Answer by the model with which the request began.

        Raises
        ------
        Problem
            If the store does not know a case, a value is not of its column's kind, or more is
            asked than the caller may know.
        """
        predictor = loaded.predictor
        if question.asked.contributions and not self.settings.tells_contributions:
            message = "what a risk stands on is for callers with a token"
            raise Problem(status=403, code="contributions", message=message)
        if question.table is None:
            table = self._looked_up(loaded, question.case_ids)
        else:
            table = question.table
        try:
            answers = predictor.predict(table, question.asked)
        except HnmetsError as error:
            # Ours name columns and rows, and no value.
            raise invalid(str(error)) from None
        self._count(answers)
        return [rounded(answer, self.settings.digits) for answer in answers]

    def _looked_up(self, loaded: Loaded, case_ids: Sequence[str]) -> InputTable:
        try:
            return self._source.lookup(loaded.predictor.package, case_ids)
        except HnmetsError as error:
            # The error itself names the case.
            message = (
                f"case_ids.{error.place} (counted from 0): the store does not know the case"
                if isinstance(error, UnknownCaseError)
                else "the store does not know the cases by the model's feature sets"
            )
            raise Problem(status=404, code="unknown_case", message=message) from None

    def _count(self, answers: Sequence[Answer]) -> None:
        predicted = [each for each in answers if isinstance(each, Prediction)]
        flags = Counter(flag.code.value for each in predicted for flag in each.flags)
        refused = len(answers) - len(predicted)
        self._metrics.answered(predicted=len(predicted), refused=refused, flags=flags)


def version_of(loaded: Loaded) -> dict[str, object]:
    """Return which model answers, as a JSON object."""
    package = loaded.predictor.package
    return {
        "model": loaded.name,
        "version": loaded.version,
        "package": loaded.identity,
        "rung": package.rung,
        "predicts": package.predicts.text,
        "features": package.lineage.dataset_digest,
        "note": NOTE,
    }


def _body(kind: type[PredictBody | InvocationsBody]) -> dict[str, object]:
    """Describe a body that is read by hand."""
    schema = kind.model_json_schema()
    whole = _inlined(schema, schema.get("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _inlined(schema: object, parts: Mapping[str, object]) -> object:
    """Return a schema with its parts in their places: `$defs` is no place of an OpenAPI page."""
    if isinstance(schema, list):
        return [_inlined(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(each, parts) for name, each in schema.items() if name != "$defs"}
