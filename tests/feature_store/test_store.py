import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_store.database import open_database, translated
from feature_store.errors import InvalidRecipeError, StoreFullError, StoreVersionError
from feature_store.layout import StoreFiles
from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore
from tests.builders_store import CLINICAL, RECIPES, TEXTURE, clinical, embedding, fill, texture

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = (
    'x"); DROP TABLE feature_row;--',
    '"a""b"',
    "'; ATTACH 'other.db'",
    "read_csv('/etc/passwd')",
    "$fingerprint",
    "a.b.c",
    "select",
    "ünïcode 肿瘤",
    " ",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FeatureStore]:
    with FeatureStore.open(tmp_path) as opened:
        yield opened


def commit(store: FeatureStore, folder: Path, *rows: Row) -> int:
    return store.commit([write_shard(folder, RECIPES, rows)])


def test_a_row_that_counts_already_is_not_appended(store: FeatureStore, tmp_path: Path) -> None:
    assert commit(store, tmp_path, texture("A"), clinical("A", 61, "f", None)) == 2
    assert commit(store, tmp_path, texture("A"), texture("B")) == 1
    assert commit(store, tmp_path, texture("A"), texture("B")) == 0
    assert len(store.history()) == 2


def test_a_new_input_replaces_all_parts_made_from_the_old_one(
    store: FeatureStore, tmp_path: Path
) -> None:
    commit(store, tmp_path, *(texture("A", part=part) for part in (1, 2, 3)))
    commit(store, tmp_path, *(texture("A", part=part, digest="b") for part in (1, 2)))
    store.publish()
    assert read_snapshot(tmp_path).frame("texture")["part"].to_list() == [1, 2]
    assert store.known() == {("A", TEXTURE.fingerprint): "b"}


def test_an_input_that_comes_back_counts_again(store: FeatureStore, tmp_path: Path) -> None:
    first = store.content_hash() if commit(store, tmp_path, texture("A", 1, 1, 1)) else ""
    commit(store, tmp_path, texture("A", 2, 2, 2, digest="b"))
    assert store.content_hash() != first
    assert commit(store, tmp_path, texture("A", 1, 1, 1)) == 1
    assert store.content_hash() == first


def test_a_changed_value_of_the_same_input_replaces_the_row(
    store: FeatureStore, tmp_path: Path
) -> None:
    commit(store, tmp_path, texture("A", 1, 1, 1))
    assert commit(store, tmp_path, texture("A", 1, 1, 2)) == 1
    store.publish()
    np.testing.assert_array_equal(read_snapshot(tmp_path).matrix(["texture"]).values, [[1, 1, 2]])


def test_of_two_inputs_in_one_batch_the_later_counts(store: FeatureStore, tmp_path: Path) -> None:
    shards = [write_shard(tmp_path, RECIPES, [texture("A", digest=d)]) for d in ("z", "a")]
    store.commit(shards)
    assert store.known() == {("A", TEXTURE.fingerprint): "a"}
    assert len(store.history()) == 1


def test_the_past_can_be_read(tmp_path: Path) -> None:
    moments = iter(NOON + timedelta(hours=hour) for hour in range(10))
    with FeatureStore.open(tmp_path, clock=lambda: next(moments)) as store:
        commit(store, tmp_path, texture("A", 1, 1, 1), clinical("A", 61, "f", True))
        commit(store, tmp_path, texture("A", 2, 2, 2, digest="b"), texture("B"))
        first, second = (entry.at for entry in store.history())
        before = store.as_of(first - timedelta(seconds=1))
        between = store.as_of(second - timedelta(seconds=1))
        after = store.as_of(second)
    assert (first, second) == (NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    assert before.recipes == ()
    assert [row.input_digest for row in between.case("A")] == ["a", "a"]
    assert [row.input_digest for row in after.case("A")] == ["a", "b"]
    assert between.case_ids == ("A",)
    assert between.frame("clinical").rows() == [("A", 0, 61.0, "f", True)]


def test_a_clock_that_is_set_back_does_not_reorder_commits(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path, clock=lambda: NOON) as store:
        commit(store, tmp_path, texture("A"))
    with FeatureStore.open(tmp_path, clock=lambda: NOON - timedelta(days=400)) as store:
        commit(store, tmp_path, texture("A", digest="b"))
        first, second = (entry.at for entry in store.history())
        assert second - first == timedelta(microseconds=1)
        assert store.as_of(second).case("A")[0].input_digest == "b"


def test_the_content_hash_knows_neither_order_nor_time(tmp_path: Path) -> None:
    rows = [
        texture("A"),
        texture("B", 7.0, 8.0, 9.0),
        embedding("A"),
        clinical("B", 50, None, True),
    ]
    together = fill(tmp_path / "one", rows)
    with FeatureStore.open(tmp_path / "other", clock=lambda: NOON) as store:
        for row in reversed(rows):
            commit(store, tmp_path / "other", row)
        assert store.content_hash() == together
    assert fill(tmp_path / "less", rows[1:]) != together


def test_what_is_no_identity_does_not_make_a_new_row(store: FeatureStore, tmp_path: Path) -> None:
    values = np.ones(3)
    keys = {"case_id": "A", "fingerprint": TEXTURE.fingerprint, "input_digest": "a"}
    commit(store, tmp_path, Row(**keys, values=values, made_with={"device": "cpu"}))
    assert commit(store, tmp_path, Row(**keys, values=values, made_with={"device": "cuda"})) == 0
    assert commit(store, tmp_path, Row(**keys, values=values, flags={"clipped": 0.5})) == 1


names = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=20)


@given(
    name=names,
    columns=st.lists(names, min_size=1, max_size=3, unique=True),
    text=st.none() | st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"])),
    case_id=st.sampled_from(HOSTILE),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_names_and_values_are_stored_as_text_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    columns: list[str],
    text: str | None,
    case_id: str,
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    types = ("text",) * len(columns)
    recipe = Recipe(name=name, kind=name, columns=tuple(columns), types=types)
    numbers = Recipe(name=name, kind=name, columns=tuple(columns))
    row = Row(
        case_id=case_id,
        fingerprint=recipe.fingerprint,
        input_digest=case_id,
        values=[text] * len(columns),
    )
    try:
        vector = texture(case_id, *range(len(columns)), recipe=numbers)
        write_shard(folder, [recipe, numbers], [row, vector])
    except InvalidRecipeError:
        return
    with FeatureStore.open(folder) as store:
        assert store.n_rows == 2  # a shard that waits for its commit is adopted
        store.create_views()
        store.publish()
    frame = read_snapshot(folder).frame(recipe.fingerprint)
    assert frame.columns == ["case_id", "part", *columns]
    assert frame.rows() == [(case_id, 0, *[text] * len(columns))]
    assert read_snapshot(folder).frame(numbers.fingerprint).columns == frame.columns
    with open_database(StoreFiles(folder)) as connection:
        assert connection.execute("select count(*) from feature_row").fetchone() == (2,)
        views = connection.execute("select view_name from duckdb_views() where not internal")
        assert f"wide_{name}_{recipe.fingerprint[:8]}" in {row[0] for row in views.fetchall()}


def test_wide_views_show_current_rows_by_the_recipes_names(
    store: FeatureStore, tmp_path: Path
) -> None:
    commit(store, tmp_path, texture("A"), embedding("A"), clinical("A", 61, "f", None))
    commit(store, tmp_path, texture("A", 4, np.nan, 6, digest="b"))
    views = store.create_views()
    assert views == store.create_views()
    store.close()
    with duckdb.connect(tmp_path / "features.duckdb", read_only=True) as connection:
        wide = {view.split("_")[1]: connection.table(view) for view in views}
        assert wide["texture"].columns == ["case_id", "part", "mean", "spread", "entropy"]
        assert wide["texture"].fetchall() == [("A", 0, 4.0, None, 6.0)]
        assert wide["embedding"].fetchall() == [("A", 0, 0.5, 0.25)]
        assert wide["clinical"].fetchall() == [("A", 0, 61.0, "f", None)]


def test_statements_cannot_leave_the_database(store: FeatureStore, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    connection = store._connection  # what a hostile name would speak to
    for statement in (
        f"from read_csv('{tmp_path / 'secret.csv'}')",
        f"attach '{tmp_path / 'other.db'}'",
        "set enable_external_access = true",
    ):
        with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
            connection.execute(statement)


def test_the_file_is_in_the_storage_format_of_duckdb_1_5(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A")])
    header = (tmp_path / "features.duckdb").read_bytes()[:20]
    magic, version = struct.unpack("<8x4sQ", header)
    # DuckDB 1.5.5 says of itself: "we can only read versions between 64 and 68"
    assert magic == b"DUCK"
    assert 64 <= version <= 68


def test_a_store_of_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    fill(tmp_path, [texture("A")])
    path = tmp_path / "features.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("update meta set schema_version = 2")
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="version 2; this code knows up to 1"):
        FeatureStore.open(tmp_path)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_duckdb_is_named_as_such(tmp_path: Path) -> None:
    # What DuckDB 1.5.5 says about a file that 2.0.0 made by default.
    said = (
        "IO Error: Trying to read a database file with version number 999, but we can only read "
        "versions between 64 and 68.\nThe database file was created with an newer version"
    )
    with (
        pytest.raises(StoreVersionError, match="version 999; this code knows up to 68"),
        translated(StoreFiles(tmp_path)),
    ):
        raise duckdb.IOException(said)


def test_typed_values_come_back_in_their_types(store: FeatureStore, tmp_path: Path) -> None:
    commit(
        store, tmp_path, clinical("A", 61, "m\n\x00=1+1", None), clinical("B", None, None, False)
    )
    store.publish()
    frame = read_snapshot(tmp_path).frame("clinical")
    assert frame.rows() == [("A", 0, 61.0, "m\n\x00=1+1", None), ("B", 0, None, None, False)]
    assert [str(kind) for kind in frame.dtypes[2:]] == ["Float64", "String", "Boolean"]
    assert CLINICAL.column_types == ("double", "text", "bool")


def test_known_covers_every_case_and_recipe(store: FeatureStore, tmp_path: Path) -> None:
    commit(store, tmp_path, texture("A"), texture("B", digest="b"), clinical("A", 1, "f", True))
    assert store.known() == {
        ("A", TEXTURE.fingerprint): "a",
        ("B", TEXTURE.fingerprint): "b",
        ("A", CLINICAL.fingerprint): "a",
    }
    store.close()
    with FeatureStore.open(tmp_path) as again:
        assert len(again.known()) == 3


def test_a_disk_that_fills_up_for_a_view_says_how_much_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise duckdb.IOException('Could not write file "x": No space left on device')

    fill(tmp_path, [texture("A")])
    monkeypatch.setattr("feature_store.store.create_wide_views", full)
    with FeatureStore.open(tmp_path) as store, pytest.raises(StoreFullError) as caught:
        store.create_views()
    # What DuckDB takes for a database without rows.
    assert caught.value.needed_bytes == 1 << 20
