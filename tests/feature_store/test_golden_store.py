"""A store of every schema version is kept; newer code must read it.

`golden/store_v1.tar.gz` was made by `python -m tests.feature_store.test_golden_store` with
DuckDB 2.0.0 and pyarrow 25.0.1. Make a new file for a new schema; never replace an old one
once a release has written that schema.
"""

import os
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from feature_store.layout import SCHEMA_VERSION
from feature_store.quarantine import Quarantined
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore
from feature_store.verify import verify
from tests.builders_store import RECIPES, clinical, embedding, texture

GOLDEN = Path(__file__).parent / "golden"
CONTENT_HASH = "9e1d61d69acc6994ef1ee4bfac19010b9a7e252a4ffc11cc37e504950d8d17c1"


def make(path: Path) -> str:
    """Write a tiny store with a history, a gap, a text and a problem; return its hash."""
    batches = [
        [texture("A", 0.1, 0.2, 0.3), clinical("A", 61.5, "f", None)],
        [texture("A", 1 / 3, float("nan"), 1e300, digest="b"), embedding("B", 0.1, -2.0)],
    ]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "store"
        noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
        with FeatureStore.open(folder, clock=lambda: noon) as store:
            for rows in batches:
                store.commit([write_shard(folder, RECIPES, rows)])
            store.quarantine([Quarantined(case_id="C", code="E_X", stage="read", detail="cut")])
            store.publish()
            content = store.content_hash()
        with tarfile.open(path, "w:gz") as archive:
            archive.add(folder, arcname="store")
    return content


def test_a_store_of_schema_1_is_read_and_extended(tmp_path: Path) -> None:
    with tarfile.open(GOLDEN / "store_v1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "store"
    snapshot = read_snapshot(folder)
    assert snapshot.content_hash == CONTENT_HASH
    np.testing.assert_array_equal(snapshot.matrix(["texture"]).values, [[1 / 3, np.nan, 1e300]])
    assert snapshot.frame("clinical").rows() == [("A", 0, 61.5, "f", None)]
    assert [problem.case_id for problem in snapshot.quarantined] == ["C"]
    with FeatureStore.open(folder) as store:
        assert store.content_hash() == CONTENT_HASH
        assert store.as_of(store.history()[0].at).case("A")[-1].input_digest == "a"
        assert store.commit([write_shard(folder, RECIPES, [texture("D")])]) == 1
        store.publish()
    assert verify(folder) == []


def test_every_schema_version_has_its_store() -> None:
    assert {path.name for path in GOLDEN.iterdir()} >= {
        f"store_v{version}.tar.gz" for version in range(1, SCHEMA_VERSION + 1)
    }


if __name__ == "__main__":
    os.write(1, make(GOLDEN / f"store_v{SCHEMA_VERSION}.tar.gz").encode())
