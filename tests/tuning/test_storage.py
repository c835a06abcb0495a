import subprocess
import sys
from pathlib import Path

import pytest
from optuna.storages import JournalStorage

from hnmets.domain.errors import UsageError
from hnmets.tuning.queue import plan_trials
from hnmets.tuning.storage import JOURNAL, close_storage, open_storage
from hnmets.tuning.worker import open_study
from tests.builders_searches import kill


def test_a_search_on_one_machine_is_a_journal_file(tmp_path: Path) -> None:
    assert isinstance(open_storage("", tmp_path, workers=8), JournalStorage)


def test_a_torn_last_line_is_set_aside_and_the_search_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan_trials(open_study(open_storage("", tmp_path), "search", "fold"), 3)
    journal = tmp_path / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    study = open_study(open_storage("", tmp_path), "search", "fold")
    plan_trials(study, 5)
    assert [trial.number for trial in study.get_trials()] == [0, 1, 2, 3, 4]
    assert journal.read_bytes().startswith(whole)
    torn = tmp_path / f"{JOURNAL}.torn-at-{len(whole)}"
    assert torn.read_bytes() == b'{"op_code": 4, "wor'
    assert torn.name in caplog.text


# Holds the lock of the journal until it is killed.
HOLDS = """
import sys, time
from pathlib import Path
from hnmets.tuning.storage import open_storage
open_storage("", Path(sys.argv[1]))._backend._lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


# Optuna's own locks outlive their holder by 30 s.
@pytest.mark.timeout(20)
def test_a_worker_that_is_killed_while_it_writes_keeps_nobody_waiting(tmp_path: Path) -> None:
    study = open_study(open_storage("", tmp_path), "search", "fold")
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        kill(holder)
    plan_trials(study, 2)
    assert len(study.get_trials()) == 2


def test_what_a_kill_tore_while_others_are_at_work_is_set_aside(tmp_path: Path) -> None:
    study = open_study(open_storage("", tmp_path), "search", "fold")
    plan_trials(study, 2)
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')
    plan_trials(study, 4)
    assert len(study.get_trials()) == 4
    assert len(open_study(open_storage("", tmp_path), "search", "fold").get_trials()) == 4


def test_sqlite_serves_one_worker_and_no_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    close_storage(open_storage(url, tmp_path))
    with pytest.raises(UsageError, match="SQLite cannot serve 2 workers") as caught:
        open_storage(url, tmp_path, workers=2)
    assert "PostgreSQL" in caught.value.__notes__[0]


def test_another_kind_of_storage_is_refused_and_its_password_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="begins with 'mysql:'") as caught:
        open_storage("mysql://me:secret@host/db", tmp_path)
    assert "secret" not in str(caught.value) + "".join(caught.value.__notes__)
