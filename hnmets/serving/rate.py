"""How often one caller may ask.

Own, as it is a page: the packages for this bring decorators for every route and storages outside
of the process, and the one that is made for Starlette is hardly kept. One process counts here;
several behind a balancer allow as many times more.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hnmets.serving.problems import Problem

# Callers that are remembered; whoever was not heard of for longest has a full bucket anyhow.
_MOST_CALLERS = 10_000


@dataclass(kw_only=True)
class _Bucket:
    level: float
    seen_s: float


class Rate:
    """A bucket of requests per caller, which fills evenly and holds a minute's worth.

    Parameters
    ----------
    per_minute
        Requests; None for any number.
    """

    def __init__(
        self, per_minute: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def require(self, caller: str) -> None:
        """Count a request.

        Raises
        ------
        Problem
            With status 429, if the caller has to wait.
        """
        if self._per_minute is None:
            return
        now, per_second = self._clock(), self._per_minute / 60
        bucket = self._buckets.pop(caller, None) or _Bucket(level=self._per_minute, seen_s=now)
        filled = bucket.level + (now - bucket.seen_s) * per_second
        bucket.level, bucket.seen_s = min(filled, self._per_minute), now
        self._buckets[caller] = bucket
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        if bucket.level < 1:
            raise Problem(
                status=429,
                code="too_often",
                message=f"more than {self._per_minute} requests a minute",
                retry_s=math.ceil((1 - bucket.level) / per_second),
            )
        bucket.level -= 1
