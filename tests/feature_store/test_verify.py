import random
from pathlib import Path

import duckdb
import numpy as np
import pytest

from feature_store.errors import StoreCorruptError
from feature_store.quarantine import Quarantined
from feature_store.rebuild import rebuild
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore
from feature_store.verify import content_hash, verify
from tests.builders_store import RECIPES, clinical, embedding, fill, texture


@pytest.fixture
def content(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    cases = [f"case-{number:02d}" for number in range(40)]
    rows = [texture(case, *rng.normal(size=3)) for case in cases]
    rows += [embedding(case, *rng.normal(size=2)) for case in cases]
    rows += [clinical(case, 60.0, "f", None) for case in cases]
    return fill(tmp_path, rows)


def codes(folder: Path) -> list[str]:
    return [finding.code for finding in verify(folder)]


def test_a_sound_store_has_no_findings_and_is_not_changed(tmp_path: Path, content: str) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert verify(tmp_path) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert content_hash(tmp_path) == content_hash(read_snapshot(tmp_path)) == content


def test_a_flipped_bit_of_the_database_is_found_and_rebuilding_repairs_it(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "features.duckdb"
    whole = path.read_bytes()
    chance = random.Random(1)  # noqa: S311  # places to damage, not secrets
    for place in chance.sample([i for i, byte in enumerate(whole) if byte], 12):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        assert codes(tmp_path) == ["S_DATABASE"], place
    assert rebuild(tmp_path) == 120
    assert verify(tmp_path) == []
    assert content_hash(tmp_path) == content


def test_a_database_cut_short_is_found_and_rebuilding_repairs_it(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "features.duckdb"
    path.write_bytes(path.read_bytes()[:300_000])
    assert codes(tmp_path) == ["S_DATABASE"]
    rebuild(tmp_path)
    assert content_hash(tmp_path) == content


@pytest.mark.parametrize(
    "forgery",
    [
        "update feature_row set doubles = [9.0, 9.0, 9.0] where doubles is not null",
        "delete from feature_row where case_id = 'case-07'",
        "update feature_row set input_digest = 'z' where case_id = 'case-07'",
    ],
)
def test_values_changed_behind_the_stores_back_are_found(
    tmp_path: Path, content: str, forgery: str
) -> None:
    with duckdb.connect(tmp_path / "features.duckdb") as connection:
        connection.execute(forgery)
    assert "S_ROW" in codes(tmp_path)
    rebuild(tmp_path)
    assert verify(tmp_path) == []
    assert content_hash(tmp_path) == content


def test_a_typed_value_changed_behind_the_stores_back_is_found(
    tmp_path: Path, content: str
) -> None:
    with duckdb.connect(tmp_path / "features.duckdb") as connection:
        (name,) = connection.execute(
            "select table_name from duckdb_tables() where table_name like 'typed_%'"
        ).fetchone()
        connection.execute(f"update {name} set age = 61 where row_id % 7 = 0")  # noqa: S608
    assert "S_ROW" in codes(tmp_path)


def test_a_damaged_shard_is_found(tmp_path: Path, content: str) -> None:
    (shard,) = (tmp_path / "shards").iterdir()
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    assert codes(tmp_path) == ["S_SHARD"]


def test_a_lost_shard_is_found(tmp_path: Path, content: str) -> None:
    for shard in (tmp_path / "shards").iterdir():
        shard.unlink()
    assert codes(tmp_path) == ["S_SHARD_MISSING"]


@pytest.mark.parametrize("ending", ["arrow", "json"])
def test_a_damaged_snapshot_is_found_and_replaced(
    tmp_path: Path, content: str, ending: str
) -> None:
    path = sorted((tmp_path / "snapshots").glob(f"*.{ending}"))[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "S_SNAPSHOT" in codes(tmp_path)
    rebuild(tmp_path)
    assert verify(tmp_path) == []
    assert content_hash(tmp_path) == content


def test_what_waits_for_its_commit_or_for_its_readers_is_named(
    tmp_path: Path, content: str
) -> None:
    write_shard(tmp_path, RECIPES, [texture("new")])
    assert codes(tmp_path) == ["S_ORPHAN"]
    FeatureStore.open(tmp_path).close()
    assert codes(tmp_path) == ["S_BEHIND"]
    with FeatureStore.open(tmp_path) as store:
        store.publish()
    assert codes(tmp_path) == []


def test_the_problems_of_cases_survive_a_rebuild(tmp_path: Path, content: str) -> None:
    with FeatureStore.open(tmp_path) as store:
        store.quarantine([Quarantined(case_id="X", code="E_X", stage="read", detail="cut")])
        store.publish()
        before = store.quarantined()
    rebuild(tmp_path)
    assert read_snapshot(tmp_path).quarantined == before


DAMAGED_POINTERS = {
    "empty": b"",
    "zeros": bytes(69),
    "torn": b"0" * 40,
    "bytes": bytes(range(150, 219)),
    "outside": b"../" + b"0" * 64 + b".json",
    "folder": b".",
}


@pytest.mark.parametrize("damage", DAMAGED_POINTERS)
@pytest.mark.parametrize("heal", ["build", "rebuild"])
def test_a_damaged_pointer_is_found_and_the_next_writer_replaces_it(
    tmp_path: Path, content: str, damage: str, heal: str
) -> None:
    with FeatureStore.open(tmp_path) as store:
        store.quarantine([Quarantined(case_id="X", code="E_X", stage="read", detail="cut")])
        store.publish()
    pointer = tmp_path / "snapshots" / "CURRENT"
    pointer.write_bytes(DAMAGED_POINTERS[damage])
    assert codes(tmp_path) == ["S_SNAPSHOT"]
    with pytest.raises(StoreCorruptError, match="it names no published generation") as caught:
        read_snapshot(tmp_path)
    assert "hnmets features rebuild" in caught.value.__notes__[0]
    if heal == "rebuild":
        rebuild(tmp_path)
    else:
        with FeatureStore.open(tmp_path) as store:
            store.publish()
    assert verify(tmp_path) == []
    assert content_hash(tmp_path) == content
    assert [entry.case_id for entry in read_snapshot(tmp_path).quarantined] == ["X"]
