from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from optuna.storages import BaseStorage
from optuna.trial import Trial, TrialState

from hnmets.tuning.lease import LEASE, Attendance, Beat
from hnmets.tuning.queue import MOST_ATTEMPTS, REASON, Queue, plan_trials
from hnmets.tuning.storage import close_storage, open_storage
from hnmets.tuning.worker import BOARD, Told, Worker, open_study
from tests.builders_searches import Sum

NAME, FOLD = "search", "everybody"


@pytest.fixture(params=["journal", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseStorage]:
    """Both kinds of storage; PostgreSQL has a test of its own, with its server."""
    url = "" if request.param == "journal" else f"sqlite:///{tmp_path / 'trials.db'}"
    opened = open_storage(url, tmp_path)
    yield opened
    close_storage(opened)


def attendance(storage: BaseStorage, **settings: object) -> Attendance:
    return Attendance(board=open_study(storage, NAME, BOARD), **settings)  # type: ignore[arg-type]  # any field


def queue(storage: BaseStorage, who: Attendance, planned: int = 6) -> Queue:
    study = open_study(storage, NAME, FOLD)
    plan_trials(study, planned)
    return Queue(study=study, storage=storage, planned=planned, seed=5, attendance=who)


def worker(storage: BaseStorage, tries: Sum, *, planned: int, stop_after: int = 10**6) -> Worker:
    plan_trials(open_study(storage, NAME, FOLD), planned)
    return Worker(
        name=NAME,
        studies=(FOLD,),
        planned=planned,
        seed=5,
        storage=storage,
        tries=lambda _study: tries,
        stop=lambda: len(tries.tried) >= stop_after,
    )


def states(storage: BaseStorage) -> Counter[str]:
    trials = open_study(storage, NAME, FOLD).get_trials(deepcopy=False)
    return Counter(trial.state.name for trial in trials)


def xs(storage: BaseStorage) -> list[float]:
    return [trial.params["x"] for trial in open_study(storage, NAME, FOLD).get_trials()]


def test_a_worker_tries_each_planned_trial_once(storage: BaseStorage) -> None:
    tries = Sum()
    assert worker(storage, tries, planned=10).work()
    assert sorted(tries.tried) == list(range(10))
    assert states(storage) == {"COMPLETE": 10}


def test_a_failed_trial_keeps_its_reason_and_the_study_goes_on(storage: BaseStorage) -> None:
    assert worker(storage, Sum(threshold=0.5), planned=10).work()
    trials = open_study(storage, NAME, FOLD).get_trials()
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    assert 0 < len(failed) < 10
    assert {trial.user_attrs[REASON] for trial in failed} == {"too low"}


def test_a_value_that_is_not_a_number_fails_and_is_no_best_trial(storage: BaseStorage) -> None:
    tries = Sum(at_once=2)
    plain = tries.try_out

    def broken(trials: Sequence[Trial]) -> list[Told]:
        _, *others = plain(trials)
        return [Told(value=float("nan"), attributes={}), *others]

    tries.try_out = broken  # type: ignore[method-assign]
    assert worker(storage, tries, planned=4).work()
    assert states(storage) == {"COMPLETE": 2, "FAIL": 2}
    assert open_study(storage, NAME, FOLD).best_value > 0


def test_stopping_finishes_the_batch_and_going_on_gives_the_same_trials(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    through, twice = open_storage("", tmp_path / "a"), open_storage("", tmp_path / "b")
    assert worker(through, Sum(), planned=28).work()
    assert not worker(twice, Sum(), planned=28, stop_after=12).work()
    assert states(twice) == {"COMPLETE": 12, "WAITING": 16}
    assert worker(twice, Sum(), planned=28).work()
    assert xs(through) == xs(twice)


def test_more_trials_may_be_planned_later(storage: BaseStorage) -> None:
    assert worker(storage, Sum(), planned=4).work()
    tries = Sum()
    assert worker(storage, tries, planned=9).work()
    assert sorted(tries.tried) == [4, 5, 6, 7, 8]


def test_two_planners_at_once_give_no_trial_too_many(storage: BaseStorage) -> None:
    study = open_study(storage, NAME, FOLD)
    for _ in range(2):
        for _ in range(6):
            study.enqueue_trial({})
    tries = Sum()
    assert worker(storage, tries, planned=6).work()
    assert sorted(tries.tried) == list(range(6))


def test_no_trial_is_taken_by_two(storage: BaseStorage) -> None:
    first, second = (queue(storage, attendance(storage)) for _ in range(2))
    mine, yours = first.take(4), second.take(4)
    assert [trial.number for trial in mine] == [0, 1, 2, 3]
    assert [trial.number for trial in yours] == [4, 5]


def test_the_trials_of_a_worker_that_is_gone_are_tried_again_with_what_they_chose(
    storage: BaseStorage,
) -> None:
    lost = queue(storage, attendance(storage))
    chosen = [trial.suggest_float("x", 0, 1) for trial in lost.take(3)]
    # That worker never said a word, as if it had been killed.
    tries = Sum()
    assert worker(storage, tries, planned=6).work()
    assert sorted(tries.tried) == list(range(6))
    assert xs(storage)[:3] == chosen


def test_a_worker_at_work_keeps_its_trials(storage: BaseStorage) -> None:
    with attendance(storage) as there:
        own = queue(storage, there)
        own.take(3)
        other = queue(storage, attendance(storage))
        assert other.recover() == 0
        assert [trial.number for trial in other.take(6)] == [3, 4, 5]


def test_who_is_told_late_is_told_nothing(storage: BaseStorage) -> None:
    slow = queue(storage, attendance(storage), planned=1)
    (trial,) = slow.take(1)
    trial.suggest_float("x", 0, 1)
    assert worker(storage, Sum(), planned=1).work()
    before = open_study(storage, NAME, FOLD).get_trials()[0]
    with pytest.raises((ValueError, RuntimeError)):
        slow.study.tell(trial, 99.0)
    after = open_study(storage, NAME, FOLD).get_trials()[0]
    assert (before.value, len(open_study(storage, NAME, FOLD).get_trials())) == (after.value, 1)


def test_who_begins_a_lost_trial_again_is_not_taken_for_the_one_that_is_gone(
    storage: BaseStorage,
) -> None:
    (lost,) = queue(storage, attendance(storage), planned=1).take(1)
    assert queue(storage, attendance(storage), planned=1).recover() == 1
    # The next worker has begun it, and was not yet able to say who it is.
    assert storage.set_trial_state_values(lost._trial_id, TrialState.RUNNING)
    assert queue(storage, attendance(storage), planned=1).recover() == 0


def take_over(storage: BaseStorage, *, most: int) -> Callable[[], None]:
    """Return what, called once, takes all trials from their worker and finishes some."""
    done: list[bool] = []

    def taken_over() -> None:
        if done:
            return
        done.append(True)
        for trial in open_study(storage, NAME, FOLD).get_trials(states=(TrialState.RUNNING,)):
            storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
        other = queue(storage, attendance(storage))
        for trial in other.take(most):
            other.study.tell(trial, 7.0)

    return taken_over


@pytest.mark.parametrize("most", [0, 1, 4])
def test_a_worker_that_was_silent_too_long_loses_its_trials_and_goes_on(
    storage: BaseStorage, caplog: pytest.LogCaptureFixture, most: int
) -> None:
    tries = Sum(meanwhile=take_over(storage, most=most))
    assert worker(storage, tries, planned=10).work()
    assert states(storage) == {"COMPLETE": 10}
    values = [trial.value for trial in open_study(storage, NAME, FOLD).get_trials()]
    assert values.count(7.0) == most
    assert ("taken over" in caplog.text) or most == 0


def test_a_trial_that_kills_its_workers_fails_in_the_end(storage: BaseStorage) -> None:
    for _ in range(MOST_ATTEMPTS):
        dead = queue(storage, attendance(storage), planned=1)
        assert len(dead.take(1)) == 1
        queue(storage, attendance(storage), planned=1).recover()
    trial = open_study(storage, NAME, FOLD).get_trials()[0]
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs[REASON] == f"its worker was lost {MOST_ATTEMPTS} times"


def test_a_worker_elsewhere_is_gone_when_its_last_word_is_old() -> None:
    said = datetime(2026, 3, 1, 12, tzinfo=UTC)
    beat = Beat(machine="another", process=1, at=said.isoformat())
    assert beat.alive(said + LEASE - timedelta(seconds=1))
    assert not beat.alive(said + LEASE)


def test_a_worker_here_is_gone_with_its_process() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    mine = Beat.mine(now)
    assert mine.alive(now)
    assert not Beat(machine=mine.machine, process=2**22 + 1, at=now.isoformat()).alive(now)
