"""The doctor believes no library that it has not seen imported."""

from pathlib import Path

import pytest

from hnmets.workflows import doctor


def checks(here: Path) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine(None, here=here)}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("import os; os.kill(os.getpid(), 11)", "its import ended by signal 11"),
    ],
)
def test_an_engine_that_is_there_and_cannot_be_imported_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, found: str
) -> None:
    (tmp_path / "broken_engine.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(doctor, "_ENGINES", {"numpy": "broken_engine"})
    check = checks(tmp_path)["numpy"]
    assert not check.good
    assert check.found.endswith(found)
    assert check.next_step == "pip install --force-reinstall numpy"


def test_an_engine_that_is_not_installed_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_ENGINES", {"no-such-engine": "os"})
    assert checks(tmp_path)["no-such-engine"].found == "not installed"


def test_numba_and_the_fast_engine_are_looked_at(tmp_path: Path) -> None:
    found = checks(tmp_path)
    assert found["numba"].good
    assert found["fast radiomics"].good
