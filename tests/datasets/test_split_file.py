import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import SplitCohortError, SplitEditedError
from hnmets.datasets.split_file import frozen_split, read_split, split_path, write_split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import subjects_of
from tests.builders_rows import case, stored, subjects

COHORT = subjects(20, events=8, centres=("A", "B"))
KFOLD = SplitParameters(folds=3, repeats=2, inner_folds=2)
CENTRE = SplitParameters(kind="centre", inner_folds=2)


def test_a_split_is_read_back_as_it_was_drawn(tmp_path: Path) -> None:
    for parameters in (KFOLD, CENTRE):
        drawn = frozen_split(tmp_path, COHORT, parameters)
        assert read_split(split_path(tmp_path, parameters)) == drawn
        assert frozen_split(tmp_path, COHORT, parameters) == drawn
    names = sorted(file.name for file in (tmp_path / "splits").iterdir())
    assert names == ["centre-inner2-seed0.json", "k-fold-3x2-inner2-seed0.json"]


def test_a_frozen_split_outlives_another_way_of_drawing(tmp_path: Path) -> None:
    other = replace(draw(COHORT, replace(KFOLD, seed=5)), parameters=KFOLD)
    write_split(split_path(tmp_path, KFOLD), other)
    assert frozen_split(tmp_path, COHORT, KFOLD).folds == other.folds


def test_the_hash_is_that_of_the_canonical_text(tmp_path: Path) -> None:
    split = frozen_split(tmp_path, COHORT, KFOLD)
    content = json.loads(split_path(tmp_path, KFOLD).read_text())
    named = content.pop("hash")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert named == split.hash == hashlib.sha256(canonical.encode()).hexdigest()


def test_one_moved_patient_changes_the_hash() -> None:
    split = draw(COHORT, KFOLD)
    first, *others = split.folds
    moved = replace(
        first,
        held_out=first.held_out[1:],
        inner=((*first.inner[0], first.held_out[0]), *first.inner[1:]),
    )
    assert replace(split, folds=(moved, *others)).hash != split.hash


def swap_roles(content: dict[str, Any]) -> None:
    roles = content["folds"][0]["roles"]
    roles[0], roles[1] = 0, -1


def lengthen(content: dict[str, Any]) -> None:
    content["folds"][0]["roles"].append(0)


def next_format(content: dict[str, Any]) -> None:
    content["format"] = 2


def forget(content: dict[str, Any]) -> None:
    del content["subjects"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (swap_roles, "its hash is"),
        (lengthen, "it is no split"),
        (next_format, "format 2, known is 1"),
        (forget, "it is no split"),
    ],
)
def test_an_edited_split_is_refused(
    tmp_path: Path, edit: Callable[[dict[str, Any]], None], message: str
) -> None:
    frozen_split(tmp_path, COHORT, KFOLD)
    path = split_path(tmp_path, KFOLD)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(SplitEditedError, match=message):
        frozen_split(tmp_path, COHORT, KFOLD)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"format":1}'])
def test_what_is_no_split_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "split.json"
    path.write_bytes(data)
    with pytest.raises(SplitEditedError, match=r"split\.json is not as it was frozen"):
        read_split(path)


def test_a_reformatted_split_is_refused(tmp_path: Path) -> None:
    frozen_split(tmp_path, COHORT, KFOLD)
    path = split_path(tmp_path, KFOLD)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    with pytest.raises(SplitEditedError, match="another program"):
        read_split(path)


def test_a_split_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    write_split(split_path(tmp_path, CENTRE), draw(COHORT, KFOLD))
    with pytest.raises(SplitEditedError, match="it holds k-fold-3x2"):
        frozen_split(tmp_path, COHORT, CENTRE)


def test_another_cohort_is_refused_with_its_differences(tmp_path: Path) -> None:
    frozen_split(tmp_path, COHORT, KFOLD)
    changed = list(COHORT[1:])
    changed[0] = replace(changed[0], event=False)
    changed[1] = replace(changed[1], patient_id="somebody")
    changed.append(replace(COHORT[0], case_id="new", patient_id="new"))
    with pytest.raises(SplitCohortError, match="case S000 is gone, case new is new") as caught:
        frozen_split(tmp_path, changed, KFOLD)
    assert caught.value.differences == (
        "case S000 is gone",
        "case new is new",
        "case S001: event True is now False",
        "case S002: is of another patient now",
    )
    assert "another seed" in caught.value.__notes__[0]


def test_a_corrected_centre_concerns_the_split_by_centre_alone(tmp_path: Path) -> None:
    for parameters in (KFOLD, CENTRE):
        frozen_split(tmp_path, COHORT, parameters)
    corrected = [replace(COHORT[0], centre="B"), *COHORT[1:]]
    frozen_split(tmp_path, corrected, KFOLD)
    with pytest.raises(SplitCohortError, match="case S000: centre A is now B"):
        frozen_split(tmp_path, corrected, CENTRE)


def test_subjects_are_the_cases_of_a_store_with_an_outcome(tmp_path: Path) -> None:
    cases = [
        case("B", event=True, patient="p", centre="X"),
        case("A", event=False),
        case("C", event=None),
    ]
    found = subjects_of(stored(tmp_path, cases), dates={"A": "2010-02"})
    assert [(s.case_id, s.patient_id, s.event, s.centre, s.date) for s in found] == [
        ("A", "A", False, None, "2010-02"),
        ("B", "p", True, "X", None),
    ]
