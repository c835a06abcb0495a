"""How often a caller may ask, and how exactly he is told (D55)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.serving.problems import Problem
from hnmets.serving.rate import Rate
from hnmets.serving.settings import ServeSettings
from tests.serving.running import Shelf, ask, loaded, patients, service

TOKEN = "correct horse"  # noqa: S105 - of a test
LOGIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(loaded=loaded(tmp_path_factory.mktemp("disclosed")))


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def allowed(rate: Rate, caller: str) -> bool:
    try:
        rate.require(caller)
    except Problem:
        return False
    return True


def test_a_minutes_worth_may_come_at_once_and_then_one_at_a_time() -> None:
    clock = Clock()
    rate = Rate(6, clock=clock)
    assert [allowed(rate, "a") for _ in range(7)] == [True] * 6 + [False]
    with pytest.raises(Problem) as caught:
        rate.require("a")
    # Six a minute are one in ten seconds.
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "10"})
    clock.now = 9.9
    assert not allowed(rate, "a")
    clock.now = 10.0
    assert [allowed(rate, "a") for _ in range(2)] == [True, False]


def test_one_caller_does_not_take_from_another() -> None:
    rate = Rate(1, clock=Clock())
    assert [allowed(rate, caller) for caller in "abab"] == [True, True, False, False]


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
)
def test_no_pattern_of_asking_gets_more_than_the_bucket_and_what_flows_in(
    per_minute: int, pauses: list[float]
) -> None:
    clock = Clock()
    rate, answered = Rate(per_minute, clock=clock), 0
    for pause in pauses:
        clock.now += pause
        answered += allowed(rate, "a")
    assert answered <= per_minute + clock.now * per_minute / 60 + 1e-6


def test_the_service_tells_when_to_come_again_and_counts_guesses_of_the_token_apart(
    shelf: Shelf,
) -> None:
    with service(shelf, token=TOKEN, per_minute=2) as port:
        guesses = [ask(port, "/version", headers={"Authorization": "x"}) for _ in range(3)]
        assert [each.status for each in guesses] == [401, 401, 429]
        asked = [ask(port, "/predict", patients([0]), headers=LOGIN) for _ in range(3)]
        assert [each.status for each in asked] == [200, 200, 429]
        assert 29 <= int(asked[-1].headers["retry-after"]) <= 30
        assert asked[-1].document["error"]["code"] == "too_often"
        assert [ask(port, "/ready").status for _ in range(5)] == [200] * 5


def test_another_address_that_a_caller_gives_himself_is_not_believed(shelf: Shelf) -> None:
    with service(shelf, per_minute=1) as port:
        spoofed = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(3)]
        answers = [ask(port, "/version", headers=each).status for each in spoofed]
    assert answers == [200, 429, 429]


def test_by_default_any_number_is_answered(shelf: Shelf) -> None:
    with service(shelf) as port:
        assert {ask(port, "/version").status for _ in range(50)} == {200}


def test_risks_are_told_as_exactly_as_was_said(shelf: Shelf) -> None:
    with service(shelf) as port:
        exact = ask(port, "/predict", {**patients(range(5)), "members": True}).document
    with service(shelf, digits=2) as port:
        told = ask(port, "/predict", {**patients(range(5)), "members": True}).document
    for one, other in zip(exact["predictions"], told["predictions"], strict=True):
        for name in ("risk", "spread", "lowest", "highest"):
            assert other[name] == round(one[name], 2)
        assert other["members"] == {name: round(risk, 2) for name, risk in one["members"].items()}
        assert (other["positive"], other["threshold"]) == (one["positive"], one["threshold"])
    assert any(
        one["risk"] != other["risk"]
        for one, other in zip(exact["predictions"], told["predictions"], strict=True)
    )


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 403),
        ({"contributions": True}, {}, 200),
        ({"token": TOKEN}, LOGIN, 200),
    ],
    ids=["nobody in particular", "whoever asks", "with a token"],
)
def test_what_a_risk_stands_on_is_for_callers_with_a_token(
    shelf: Shelf, settings: dict[str, object], headers: dict[str, str], status: int
) -> None:
    with service(shelf, **settings) as port:
        body = {**patients([0]), "contributions": 2}
        assert ask(port, "/predict", body, headers=headers).status == status
        assert ask(port, "/predict", patients([0]), headers=headers).status == 200


def test_a_limit_of_nothing_is_no_limit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="per_minute is at least 1"):
        ServeSettings(per_minute=0)
