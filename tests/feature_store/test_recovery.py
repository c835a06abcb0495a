import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from feature_store.errors import StoreCorruptError
from feature_store.finding import Finding
from feature_store.layout import StoreFiles
from feature_store.rebuild import rebuild
from feature_store.recipe import Recipe
from feature_store.shard import write_shard
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore
from feature_store.verify import verify
from tests.builders_store import RECIPES, TEXTURE, clinical, embedding, fill, texture
from tests.feature_store.programs import CLINICAL, N_CASES, WIDE, rows_of
from tests.feature_store.running import kill, run, start_ready

KILLS = 30


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Content hash of the program `build` run in one go."""
    rows = [row for case in range(N_CASES) for row in rows_of(case)]
    return fill(tmp_path_factory.mktemp("undisturbed"), rows, [WIDE, CLINICAL])


def test_shards_of_a_killed_build_are_adopted(tmp_path: Path) -> None:
    write_shard(tmp_path, RECIPES, [texture("A"), texture("B")])
    with FeatureStore.open(tmp_path) as store:
        assert {case_id for case_id, _ in store.known()} == {"A", "B"}
        assert store.findings == ()


def test_a_torn_orphan_is_set_aside_and_the_rest_adopted(tmp_path: Path) -> None:
    torn = write_shard(tmp_path, RECIPES, [texture("A")])
    torn.write_bytes(torn.read_bytes()[:100])
    write_shard(tmp_path, RECIPES, [texture("B")])
    with FeatureStore.open(tmp_path) as store:
        (finding,) = store.findings
        assert finding.code == "S_SET_ASIDE"
        assert torn.name in finding.what
        assert {case_id for case_id, _ in store.known()} == {"B"}
    assert (tmp_path / "set_aside" / torn.name).exists()
    with FeatureStore.open(tmp_path) as store:
        assert store.findings == ()


def test_a_torn_shard_does_not_stop_a_commit(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path) as store:
        sound, torn = (write_shard(tmp_path, RECIPES, [texture(case)]) for case in "AB")
        torn.write_bytes(b"")
        assert store.commit([torn, sound]) == 1
        assert [finding.code for finding in store.findings] == ["S_SET_ASIDE"]
        assert {case_id for case_id, _ in store.known()} == {"A"}


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_a_batch_that_is_interrupted_halfway_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    def interrupted(*_: object) -> None:
        raise interruption

    with FeatureStore.open(tmp_path) as store:
        store.commit([write_shard(tmp_path, RECIPES, [clinical("A", 61, "f", True)])])
        before = store.known(), store.history(), store.content_hash()
        shard = write_shard(tmp_path, RECIPES, [texture("B"), clinical("B", 62, "m", True)])
        # The vectors are in by then, the typed columns are not.
        monkeypatch.setattr("feature_store.ledger._typed_table", interrupted)
        with pytest.raises(interruption):
            store.commit([shard])
        monkeypatch.undo()
        assert (store.known(), store.history(), store.content_hash()) == before
        assert store.commit([shard]) == 2
    assert verify(tmp_path)[0].code == "S_BEHIND"


def test_temporary_files_of_killed_writers_are_removed(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    host = os.uname().nodename
    dead = tmp_path / "shards" / f".tmp-{host}-999999999-0123abcd"
    alive = tmp_path / "shards" / f".tmp-{host}-{os.getpid()}-0123abcd"
    elsewhere = tmp_path / "shards" / ".tmp-otherhost-999999999-0123abcd"
    for path in (dead, alive, elsewhere):
        path.touch()
    with FeatureStore.open(tmp_path):
        assert not dead.exists()
        assert alive.exists()
        assert elsewhere.exists()


def history(folder: Path) -> list[tuple[int, object, tuple[str, ...]]]:
    with FeatureStore.open(folder) as store:
        return [(commit.number, commit.at, commit.shards) for commit in store.history()]


def filled(folder: Path) -> str:
    """Fill a store with inputs that came, went and came back: the order of commits matters."""
    fill(folder, [texture("A", 1, 1, 1), clinical("A", 61, "f", True)])
    fill(folder, [texture("A", 2, 2, 2, digest="b"), embedding("B")])
    return fill(folder, [texture("A", 1, 1, 1), texture("C", digest="c")])


def test_a_lost_database_is_replayed_in_order_at_the_old_times(tmp_path: Path) -> None:
    content, before = filled(tmp_path), history(tmp_path)
    (tmp_path / "features.duckdb").unlink()
    assert history(tmp_path) == before
    with FeatureStore.open(tmp_path) as store:
        assert store.content_hash() == content
        assert store.as_of(before[1][1]).case("A")[-1].input_digest == "b"


@pytest.mark.parametrize("damage", ["gone", "torn", "garbage"])
def test_the_journal_is_restored_from_the_database(tmp_path: Path, damage: str) -> None:
    content = filled(tmp_path)
    journal = tmp_path / "commits.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes({"gone": b"", "torn": whole[:-20], "garbage": b"\xff{]\n[]\n"}[damage])
    with FeatureStore.open(tmp_path) as store:
        assert store.content_hash() == content
    assert journal.read_bytes() == whole


def test_rebuilding_gives_the_same_store_without_its_database(tmp_path: Path) -> None:
    content, before = filled(tmp_path), history(tmp_path)
    (tmp_path / "features.duckdb").write_bytes(b"broken" * 1000)
    with pytest.raises(StoreCorruptError) as caught:
        FeatureStore.open(tmp_path)
    assert "hnmets features rebuild" in caught.value.__notes__[0]
    assert caught.value.exit_code == 3
    assert rebuild(tmp_path) == 4
    assert read_snapshot(tmp_path).content_hash == content
    assert history(tmp_path) == before
    assert verify(tmp_path) == []
    assert (tmp_path / "features.duckdb.broken").read_bytes() == b"broken" * 1000


def test_rebuilding_keeps_the_order_of_commits_that_only_the_database_knows(
    tmp_path: Path,
) -> None:
    content = filled(tmp_path)
    (tmp_path / "commits.jsonl").unlink()
    rebuild(tmp_path)
    assert read_snapshot(tmp_path).content_hash == content


def test_rebuilding_without_a_shard_leaves_its_rows_to_the_next_build(tmp_path: Path) -> None:
    lost = write_shard(tmp_path, RECIPES, [texture("A")])
    kept = write_shard(tmp_path, RECIPES, [texture("B")])
    with FeatureStore.open(tmp_path) as store:
        store.commit([lost, kept])
        content = store.content_hash()
    lost.write_bytes(b"")
    assert verify(tmp_path)[0].code == "S_SHARD"
    assert rebuild(tmp_path) == 1
    with FeatureStore.open(tmp_path) as store:
        assert store.known() == {("B", TEXTURE.fingerprint): "a"}
        store.commit([write_shard(tmp_path, RECIPES, [texture("A")])])
        assert store.content_hash() == content


@pytest.mark.parametrize("loss", ["gone", "torn"])
def test_rebuilding_gives_up_a_shard_that_nobody_can_make_again(tmp_path: Path, loss: str) -> None:
    imported = Recipe(
        name="ct-fm", kind="embedding", columns=("e0",), parameters={"imported": True}
    )
    row = texture("A", 1.0, recipe=imported)
    with FeatureStore.open(tmp_path) as store:
        for lost in (
            write_shard(tmp_path, [imported], [row]),
            write_shard(tmp_path, RECIPES, [texture("LEFT")]),
        ):
            store.commit([lost, write_shard(tmp_path, RECIPES, [texture(f"B{lost.stem}")])])
            lost.unlink() if loss == "gone" else lost.write_bytes(b"")
        store.publish()
    assert set(codes := [finding.code for finding in verify(tmp_path)])
    assert set(codes) <= {"S_SHARD_MISSING", "S_SHARD"}
    said: list[Finding] = []
    assert rebuild(tmp_path, on_finding=said.append) == 2
    steps = {finding.what.split("@")[0]: finding.next_step for finding in said[2:]}
    assert steps["ct-fm"] == "Import the table again with `hnmets features import`."
    assert "features build" in steps["texture"]
    for file in tmp_path.glob("set_aside/*"):
        file.unlink()  # as the finding of a shard that was set aside says
    assert verify(tmp_path) == []
    assert [len(names) for _, _, names in history(tmp_path)] == [1, 1]
    # What was given up is given up once: the journal says the same to the next database.
    (tmp_path / "features.duckdb").unlink()
    with FeatureStore.open(tmp_path) as store:
        assert store.findings == ()
        assert store.n_rows == 2


def test_a_log_cut_anywhere_loses_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    status, _ = run("leave_log", source)
    assert status == -9
    log = StoreFiles(source).write_ahead_log.read_bytes()
    assert len(log) > 1000
    chance = random.Random(0)  # noqa: S311  # places to cut, not secrets
    expected = fill(
        tmp_path / "whole", [row for case in range(6) for row in rows_of(case)], [WIDE, CLINICAL]
    )
    for cut in [0, 1, len(log) - 1, len(log), *chance.sample(range(len(log)), 8)]:
        folder = tmp_path / f"cut-{cut}"
        shutil.copytree(source, folder)
        StoreFiles(folder).write_ahead_log.write_bytes(log[:cut])
        try:
            FeatureStore.open(folder).close()
        except StoreCorruptError:
            rebuild(folder)
        with FeatureStore.open(folder) as store:
            assert store.content_hash() == expected, cut
        shutil.rmtree(folder)


@pytest.mark.parametrize("kilobytes", [100, 300, 400, 700, 1500])
def test_a_full_disk_stops_cleanly_and_the_build_goes_on_later(
    tmp_path: Path, kilobytes: int, undisturbed: str
) -> None:
    folder = tmp_path / "store"
    status, output = run("starve", folder, STARVE_BYTES=str(kilobytes * 1000))
    assert status == 1, output
    message = output.splitlines()[-1]
    assert message.startswith("StoreFullError no room in")
    assert int(message.split()[-2]) > 0
    if (folder / "snapshots" / "CURRENT").exists():
        assert read_snapshot(folder).case_ids
    assert run("build", folder)[0] == 0
    assert read_snapshot(folder).content_hash == undisturbed
    assert verify(folder) == []


@pytest.mark.slow
def test_a_build_killed_again_and_again_ends_like_one_that_was_not(
    tmp_path: Path, undisturbed: str
) -> None:
    chance = random.Random(os.environ.get("KILL_SEED", "0"))  # noqa: S311
    killed = rounds = 0
    # One folder is enough where the machine is slow; a fast one is done before.
    while killed < KILLS:
        folder = tmp_path / str(rounds) / "store"
        folder.parent.mkdir()
        here = killed_until_done(folder, chance, at_most=KILLS - killed)
        assert run("build", folder)[0] == 0
        assert read_snapshot(folder).content_hash == undisturbed
        assert verify(folder) == []
        assert not list(folder.rglob(".tmp-*"))
        assert_nothing_committed_was_extracted_again(folder.parent / "log", kills=here)
        killed += here
        rounds += 1


def killed_until_done(folder: Path, chance: random.Random, *, at_most: int) -> int:
    """Kill builds at random moments and return how many of them were hit."""
    for killed in range(at_most):
        build = start_ready("build", folder)
        time.sleep(chance.uniform(0, 0.05))
        kill(build)
        if build.returncode != -signal.SIGKILL:
            return killed
    return at_most


def assert_nothing_committed_was_extracted_again(log: Path, *, kills: int) -> None:
    committed: set[str] = set()
    extracted: Counter[str] = Counter()
    for line in log.read_text().splitlines():
        what, case = line.split()
        if what == "commit":
            committed.add(case)
        else:
            assert case not in committed
            extracted[case] += 1
    assert sum(extracted.values()) <= N_CASES + kills
    assert len(extracted) == N_CASES
