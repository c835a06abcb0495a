"""What a log shows of a long command."""

from collections.abc import Iterator, Sequence

import pytest

from cli import render


def logged(
    capsys: pytest.CaptureFixture[str],
    steps: Sequence[tuple[str, int, int]],
    *,
    seconds_each: float,
    quiet: bool = False,
) -> list[str]:
    def ticks() -> Iterator[float]:
        yield from (seconds_each * number for number in range(1000))

    clock = ticks()
    with render.progress_bar(quiet=quiet, clock=lambda: next(clock)) as advance:
        for step in steps:
            advance(*step)
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


def test_a_log_has_a_line_at_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [(f"SYN-{done:04d}", done, 40) for done in range(1, 41)]
    lines = logged(capsys, steps, seconds_each=60.0)
    # The first step, then each tenth: 4, 8, … of 40.
    assert lines == [f"SYN-{done:04d}: {done} of 40" for done in (1, *range(4, 41, 4))]


def test_what_is_soon_done_leaves_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [("", done, 40) for done in range(41)]
    assert logged(capsys, steps, seconds_each=0.1) == []


def test_a_step_of_another_kind_begins_anew(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [("choosing features", 0, 6), ("repeat 1 fold 1", 0, 500), ("", 500, 500)]
    assert logged(capsys, steps, seconds_each=60.0) == [
        "choosing features: 0 of 6",
        "repeat 1 fold 1: 0 of 500",
        "500 of 500",
    ]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, [("x", 0, 0), ("x", 1, 1)], seconds_each=60.0, quiet=True) == []
