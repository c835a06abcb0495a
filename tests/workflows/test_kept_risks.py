"""What a ladder said of everybody is kept exactly: a registered model has to repeat it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate
from hnmets.workflows.kept_risks import KeptRisks, RungRisks, keep_risks, risks_of
from hnmets.workflows.ladder import Choice, views_of
from tests.builders_ladders import every_modality

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def risks(run: str, risk: float = 0.25) -> KeptRisks:
    return KeptRisks(
        run=run,
        choice=Choice(only=("size",)),
        split_hash="s",
        dataset_digest="d",
        patients=("P1", "P2"),
        outcome=(True, False),
        folds=((0, 1),),
        rungs=(
            RungRisks(
                name="size", model="logistic", risk=((risk, 0.1),), thresholds=((0.2,) * 2,)
            ),
        ),
    )


def test_a_ladder_keeps_its_held_out_risks_to_the_last_bit(tmp_path: Path) -> None:
    study = every_modality(tmp_path)
    choice = Choice(
        views=views_of(("radiomics",), model="logistic"), only=("size", "radiomics, logistic")
    )
    found = ablate.run(study, choice=choice, tracker=InMemoryTracker())
    kept = risks_of(study.store_folder, found.run)
    assert (kept.run, kept.choice, kept.split_hash) == (found.run, choice, found.split.hash)
    assert kept.dataset_digest == found.dataset.digest
    for scores in found.scores:
        said, rung = scores.out_of_fold, scores.out_of_fold.rung.name
        again = kept.predictions(rung)
        assert again.patient_ids == said.predictions.patient_ids
        np.testing.assert_array_equal(again.risk, said.predictions.risk)
        np.testing.assert_array_equal(again.outcome, said.predictions.outcome)
        np.testing.assert_array_equal(kept.rung(rung).thresholds, said.thresholds)
        np.testing.assert_array_equal(kept.folds, said.folds)


def test_before_the_first_run_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing was evaluated yet") as caught:
        risks_of(tmp_path)
    assert "hnmets evaluate" in caught.value.__notes__[0]


def test_the_newest_run_is_found_and_others_by_the_beginning_of_their_key(tmp_path: Path) -> None:
    first = risks("a" * 32)
    keep_risks(first, tmp_path, at=AT)
    newest = risks("b" * 32, risk=0.1 + 0.2)
    keep_risks(newest, tmp_path, at=AT.replace(year=2027))
    assert risks_of(tmp_path) == newest
    assert risks_of(tmp_path, "aaa") == first
    with pytest.raises(UsageError, match="no run 'c'; there is: aaaaaaaa, bbbbbbbb"):
        risks_of(tmp_path, "c")
    with pytest.raises(UsageError, match="has no rung 'al'") as caught:
        first.rung("al")
    assert caught.value.__notes__ == ["It has: size."]


def test_a_risk_that_is_no_number_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="no held-out risks of format 1"):
        keep_risks(risks("a" * 32, risk=float("nan")), tmp_path, at=AT)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = keep_risks(risks("a" * 32), tmp_path, at=AT)
    path.write_text(path.read_text().replace('"size"', "7"))
    with pytest.raises(InvalidDataError, match="no held-out risks of format 1"):
        risks_of(tmp_path)
