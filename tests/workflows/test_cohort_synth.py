"""A synthetic cohort is there whole, or is made again."""

from pathlib import Path

import pytest

from hnmets.domain.errors import UsageError
from hnmets.execution.local import InProcess
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import cohort_synth
from hnmets.workflows.cohort_synth import is_complete

ONE = SyntheticCohort(cases=1, seed=2, scale=0.25)
TABLES = ("truth.json", "study.toml", "cohort.csv")


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@pytest.mark.parametrize("written", range(len(TABLES)))
def test_a_cohort_cut_short_between_its_tables_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    replace = Path.replace

    def dying(self: Path, target: Path) -> Path:
        if target.name in TABLES[written:]:
            raise KilledError
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KilledError):
        cohort_synth.run(tmp_path, ONE, executor=InProcess())
    monkeypatch.undo()
    assert [name for name in TABLES if (tmp_path / name).exists()] == list(TABLES[:written])
    assert not is_complete(tmp_path)
    cohort_synth.run(tmp_path, ONE, executor=InProcess())
    assert is_complete(tmp_path)
    with pytest.raises(UsageError, match="holds a cohort already"):
        cohort_synth.run(tmp_path, ONE, executor=InProcess())


@pytest.mark.parametrize("name", ["cohort.csv", "study.toml"])
def test_the_files_of_a_person_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match="holds a cohort already"):
        cohort_synth.run(tmp_path, ONE, executor=InProcess())
    assert (tmp_path / name).read_text() == "mine"
