"""How fast the feature store is: medians, with a plainer way of doing the same in the same run.

Run it with `python benchmarks/store.py [--cases N]`; values are noise of the sizes of a study
(tumour and ring 2 x 1562 doubles, embedding 768 floats, clinical 12 typed columns).
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq

from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore

BATCH = 16
REPEATS = 5
RADIOMICS = tuple(f"feature_{i:04d}" for i in range(1562))
RECIPES = (
    Recipe(name="tumour", kind="radiomics", columns=RADIOMICS),
    Recipe(name="ring", kind="radiomics", columns=RADIOMICS, parameters={"margin_mm": 5.0}),
    Recipe(
        name="embedding",
        kind="embedding",
        columns=tuple(f"e{i:03d}" for i in range(768)),
        types="float",
    ),
    Recipe(
        name="clinical",
        kind="clinical",
        columns=tuple(f"c{i:02d}" for i in range(12)),
        types=("double",) * 4 + ("text",) * 6 + ("bool",) * 2,
    ),
)
NAMES = [recipe.name for recipe in RECIPES]


def main() -> None:
    """Measure and print one line per question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1497)
    n_cases = parser.parse_args().cases
    print(f"{n_cases} cases, load {os.getloadavg()[0]:.1f}, duckdb {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), n_cases)


def measure(folder: Path, n_cases: int) -> None:
    """Fill a store and a plain wide database, then ask both the same."""
    store, wide = folder / "store", folder / "wide.duckdb"
    batched = fill(store, n_cases, batch=BATCH)
    report("commit, per case", batched, fill(folder / "single", 64, batch=1), "commit each")
    make_wide(store, wide)
    report(
        "full matrix",
        repeated(lambda: matrix(store)),
        repeated(lambda: wide_matrix(wide)),
        "wide DuckDB tables",
    )
    case = repeated(lambda: read_snapshot(store).case("case-0007"))
    report("one case", case, repeated(lambda: wide_case(wide)), "wide DuckDB tables")
    opened = repeated(lambda: known(store))
    report("open, ask what is known", opened, repeated(lambda: known_from(store)), "shards alone")


def fill(folder: Path, n_cases: int, *, batch: int) -> list[float]:
    """Seconds per case of each commit; the shards are written beforehand."""
    rng, seconds = np.random.default_rng(0), []
    with FeatureStore.open(folder) as store:
        for start in range(0, n_cases, batch):
            cases = range(start, min(start + batch, n_cases))
            shard = write_shard(
                folder, RECIPES, [row for case in cases for row in rows(case, rng)]
            )
            begun = time.perf_counter()
            store.commit([shard])
            seconds.append((time.perf_counter() - begun) / len(cases))
        begun = time.perf_counter()
        store.publish()
        print(f"{'publish ' + str(n_cases) + ' cases':28} {time.perf_counter() - begun:9.2f} s")
    return seconds


def rows(case: int, rng: np.random.Generator) -> Iterator[Row]:
    """Make up the rows of one case."""
    values = (
        rng.normal(size=1562),
        rng.normal(size=1562),
        rng.normal(size=768).astype(np.float32),
        (*rng.normal(size=4).tolist(), *("a", "b", "c", None, "e", "f"), True, None),
    )
    for recipe, value in zip(RECIPES, values, strict=True):
        yield Row(
            case_id=f"case-{case:04d}",
            fingerprint=recipe.fingerprint,
            input_digest=f"{case:064x}",
            values=value,
            made_with={"device": "cpu"},
        )


def make_wide(store: Path, path: Path) -> None:
    """Put the same values into one table per recipe, one column per feature."""
    snapshot = read_snapshot(store)
    with duckdb.connect(path) as connection:
        for name in NAMES:
            frame = (
                snapshot.frame(name)
                .drop("part")
                .rename(lambda c, n=name: n + c if c != "case_id" else c)
            )
            connection.from_arrow(frame.to_arrow()).create(name)


def matrix(store: Path) -> float:
    """Open the snapshot, join the recipes, touch every number."""
    return float(read_snapshot(store).matrix(NAMES).values.sum())


def wide_matrix(path: Path) -> float:
    """Join the wide tables and sum up their numbers."""
    with duckdb.connect(path, read_only=True) as connection:
        relation = connection.table(NAMES[0])
        for name in NAMES[1:]:
            relation = relation.join(connection.table(name), "case_id")
        frame = pl.from_arrow(relation.to_arrow_table())
    return float(frame.select(pl.selectors.numeric()).to_numpy().sum())


def wide_case(path: Path) -> list[tuple[object, ...]]:
    """Read one case from each wide table."""
    with duckdb.connect(path, read_only=True) as connection:
        tables = [connection.table(name) for name in NAMES]
        return [
            row for table in tables for row in table.filter("case_id = 'case-0007'").fetchall()
        ]


def known(folder: Path) -> int:
    """Open the store for writing and ask what it knows: what a build with nothing to do costs."""
    with FeatureStore.open(folder) as store:
        store.publish()
        return len(store.known())


def known_from(folder: Path) -> int:
    """Read the keys from the shards instead."""
    names = ["fingerprint", "case_id", "input_digest"]
    return sum(pq.read_table(p, columns=names).num_rows for p in folder.glob("shards/*.parquet"))


def repeated(function: Callable[[], object]) -> list[float]:
    """Seconds of each of a few calls."""
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begun)
    return seconds


def report(what: str, ours: list[float], baseline: list[float], name: str) -> None:
    """Print both medians and their ratio."""
    a, b = statistics.median(ours), statistics.median(baseline)
    print(f"{what:28} {a * 1e3:9.2f} ms   {name}: {b * 1e3:9.2f} ms   ratio {b / a:6.1f}")


if __name__ == "__main__":
    main()
