"""Counters of a service in the text form that Prometheus reads; no value of a patient is one."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counts requests, answers, flags and reloads; any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[int] = Counter()
        self._seconds = 0.0
        self._counts: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()
        self.model = ""

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request; routes that do not exist are one."""
        with self._lock:
            self._requests[route, status] += 1
            self._buckets[bisect_left(_SECONDS, seconds)] += 1
            self._seconds += seconds

    def answered(self, *, predicted: int, refused: int, flags: Counter[str]) -> None:
        """Count what a model said."""
        with self._lock:
            self._counts["predictions"] += predicted
            self._counts["refusals"] += refused
            self._flags.update(flags)

    def reloaded(self, *, failed: bool = False) -> None:
        """Count a change of the model, or a try that left the old one."""
        with self._lock:
            self._counts["reload_failures" if failed else "reloads"] += 1

    def text(self) -> str:
        """Return everything in Prometheus' text format, version 0.0.4."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# TYPE hnmets_requests_total counter"
        for (route, status), count in sorted(self._requests.items()):
            yield f'hnmets_requests_total{{route="{route}",status="{status}"}} {count}'
        yield "# TYPE hnmets_request_seconds histogram"
        running = 0
        for place, bound in enumerate(_SECONDS):
            running += self._buckets[place]
            yield f'hnmets_request_seconds_bucket{{le="{bound:g}"}} {running}'
        total = running + self._buckets[len(_SECONDS)]
        yield f'hnmets_request_seconds_bucket{{le="+Inf"}} {total}'
        yield f"hnmets_request_seconds_sum {self._seconds:.6f}"
        yield f"hnmets_request_seconds_count {total}"
        for name in ("predictions", "refusals", "reloads", "reload_failures"):
            yield f"# TYPE hnmets_{name}_total counter"
            yield f"hnmets_{name}_total {self._counts[name]}"
        yield "# TYPE hnmets_flags_total counter"
        for code, count in sorted(self._flags.items()):
            yield f'hnmets_flags_total{{code="{code}"}} {count}'
        yield "# TYPE hnmets_model_info gauge"
        yield f'hnmets_model_info{{package="{self.model}"}} {int(bool(self.model))}'
