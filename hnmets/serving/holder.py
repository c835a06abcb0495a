"""The model in service; another takes its place without a request being dropped."""

import asyncio
import logging

from starlette.concurrency import run_in_threadpool

from hnmets.domain.errors import HnmetsError
from hnmets.serving.metrics import Metrics
from hnmets.serving.problems import not_ready
from hnmets.serving.source import Loaded, ModelSource

_log = logging.getLogger(__name__)


class Holder:
    """Holds the model that answers, and looks for another one from time to time.

    A request keeps the model that it began with. Where the new one cannot be opened, the old
    one stays: a damaged champion answers nobody.
    """

    def __init__(self, source: ModelSource, metrics: Metrics) -> None:
        self._source = source
        self._metrics = metrics
        self._loaded: Loaded | None = None
        self._refused = ""

    @property
    def loaded(self) -> Loaded:
        """The model in service.

        Raises
        ------
        Problem
            If there is none yet.
        """
        if self._loaded is None:
            raise not_ready()
        return self._loaded

    @property
    def is_ready(self) -> bool:
        """Whether a model is in service."""
        return self._loaded is not None

    def refresh(self) -> None:
        """Open the model that has to answer, unless it does already."""
        wanted = self._wanted()
        serving = self._loaded.identity if self._loaded is not None else None
        if wanted is None or wanted in {serving, self._refused}:
            return
        try:
            loaded = self._source.load()
        except (HnmetsError, OSError) as error:
            # Not the error's own text: it may name folders.
            _log.error("a model could not be loaded: %s", type(error).__name__)
            self._refused = wanted
            self._metrics.reloaded(failed=True)
            return
        self._loaded, self._refused = loaded, ""
        self._metrics.model = loaded.identity[:12]
        self._metrics.reloaded()

    async def keep_fresh(self, seconds: float) -> None:
        """Look for another model until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await run_in_threadpool(self.refresh)

    def _wanted(self) -> str | None:
        try:
            return self._source.current()
        except (HnmetsError, OSError):
            return None
