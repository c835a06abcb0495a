"""What a served model costs: one row, many at once, memory, and whether it stays flat.

Run it with `python benchmarks/serve.py [--study study.toml --model champion]`; without a study
it makes one of 300 patients with clinical variables and size, in five repeats of five folds, so
that 25 models answer. The server is a process of its own on loopback, the client keeps its
connection.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil

from benchmarks.claims import claim
from hnmets.execution.local import InProcess
from hnmets.workflows import ablate, features_build, models_promote, models_register
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice
from hnmets.workflows.study import load_study

STUDY = """\
[study]
name = "speed of serving"

[cohort]
manifest = "cohort.csv"
case = "id"

[clinical.age]
column = "age"
type = "number"
known_at = "baseline"

[clinical.stage]
column = "stage"
type = "category"
values = { I = ["I"], II = ["II"], III = ["III"], IV = ["IV"] }
known_at = "baseline"

[outcome]
event = "dm"

[evaluation]
draws = 200
"""
_WARM = 200


def main() -> None:
    """Measure and print one line per question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path)
    parser.add_argument("--model", default="champion")
    parser.add_argument("--requests", type=int, default=10_000)
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        study = asked.study or made(Path(folder))
        with served(study, asked.model) as (port, process):
            measure(port, process, requests=asked.requests)


def made(folder: Path, *, cases: int = 300) -> Path:
    """Make a study with a champion; return its file."""
    rng = random.Random(1)  # noqa: S311 - a made-up cohort
    lines = ["id,age,stage,dm"]
    for number in range(cases):
        event = rng.random() < 0.25
        stage = rng.choice(["I", "II", "III", "IV", "IV"] if event else ["I", "II", "III", "IV"])
        lines.append(f"C{number:04d},{rng.gauss(60 + 4 * event, 9):.1f},{stage},{int(event)}")
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    file = folder / "study.toml"
    file.write_text(STUDY)
    study = load_study(file)
    features_build.run(study, Request(), executor=InProcess())
    ablate.run(study, choice=Choice(only=("clinical",)))
    found = models_register.run(study)
    models_promote.run(study, str(found.version.number), reason="a benchmark")
    return file


@contextmanager
def served(study: Path, model: str) -> Iterator[tuple[int, psutil.Process]]:
    """Serve in a process of its own; yield its port and the process."""
    words = ("serve", "-s", str(study), "-m", model, "--port", "0", "--quiet")
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        begin = time.perf_counter()
        line = process.stdout.readline() if process.stdout else ""
        print(f"listening after {time.perf_counter() - begin:.1f} s")
        yield int(line.split()[0].rpartition(":")[2]), psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def measure(port: int, process: psutil.Process, *, requests: int) -> None:
    """Ask one after the other, then many at once, then for long."""
    body = one_patient(port)
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(_WARM):
        ask(connection, body)
    times = [ask(connection, body)[1] for _ in range(1000)]
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"one row: p50 {p50 * 1e3:.2f} ms, p95 {p95 * 1e3:.2f} ms")
    claim(p50 < 0.008 and p95 < 0.020, "one row p50 under 8 ms and p95 under 20 ms")
    before = megabytes(process)
    claim(before < 300, f"under 300 MB resident for a tabular model: {before:.0f} MB")
    statuses = at_once(port, body)
    print(f"200 at once: {dict(statuses)}")
    claim(set(statuses) <= {(200, None), (503, "1")}, "nothing but 200 and 503 with Retry-After")
    for _ in range(requests // 10):  # the threads of those at once have memory of their own
        ask(connection, body)
    before, begin = megabytes(process), time.perf_counter()
    for _ in range(requests):
        ask(connection, body)
    seconds, after = time.perf_counter() - begin, megabytes(process)
    print(f"{requests} requests: {requests / seconds:.0f} per second, {after - before:+.1f} MB")
    claim(after - before < 5, f"{requests} requests with flat memory")


def one_patient(port: int) -> bytes:
    """Return a request of one patient of whom every number is 1 and every category the first."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/schema")
    columns = json.loads(connection.getresponse().read())["columns"]
    values = {c["name"]: c["categories"][0] if c["categories"] else 1.0 for c in columns}
    print(f"{len(values)} inputs")
    return json.dumps({"patients": [{"case_id": "A", "values": values}]}).encode()


def ask(connection: HTTPConnection, body: bytes) -> tuple[int, float, str | None]:
    """Send a request; return status, seconds and Retry-After."""
    begin = time.perf_counter()
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.perf_counter() - begin, answer.getheader("Retry-After")


def at_once(port: int, body: bytes, callers: int = 200) -> Counter[tuple[int, str | None]]:
    """Have many ask at the same time; count what they are told."""

    def call(_number: int) -> tuple[int, str | None]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        status, _, retry = ask(connection, body)
        connection.close()
        return status, retry

    with ThreadPoolExecutor(callers) as pool:
        told: Sequence[tuple[int, str | None]] = list(pool.map(call, range(callers)))
    return Counter(told)


def megabytes(process: psutil.Process) -> float:
    """Return the resident memory."""
    return float(process.memory_info().rss) / 2**20


if __name__ == "__main__":
    main()
