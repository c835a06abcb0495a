"""Every step keeps the same promises: what it learns, it learns from training rows alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import get_type_hints

import numpy as np
import pytest

from hnmets.datasets.rows import HeldOutRows, TrainRows
from hnmets.selection.base import Fitted, Step
from hnmets.selection.catalog import STEPS
from hnmets.selection.chain import Chain
from hnmets.selection.errors import AbsentValuesError, ColumnsDifferError
from hnmets.selection.imputation import MedianImputation
from hnmets.selection.reference import SelectionParameters
from tests.selection.small import forget, learned, small_folds, small_rows, small_step

REFERENCE = "reference chain"


@dataclass
class Spy:
    """A step that notes whose rows another one was fitted on."""

    step: Step
    fitted_on: list[tuple[str, ...]] = field(default_factory=list)

    def fit(self, rows: TrainRows) -> Fitted:
        self.fitted_on.append(rows.patient_ids)
        return self.step.fit(rows)


@pytest.fixture(params=[*STEPS, REFERENCE])
def step(request: pytest.FixtureRequest) -> Step:
    if request.param == REFERENCE:
        return SelectionParameters(trees=20, top=5, components=3).chain
    return small_step(request.param)


def poisoned(rows: TrainRows, cases: tuple[str, ...]) -> Iterator[TrainRows]:
    """The rows with absurd values in some cases, and with their outcomes turned around."""
    chosen = [case in cases for case in rows.case_ids]
    for poison in (np.nan, 1e9, -1e9, np.inf):
        values = rows.values.copy()
        values[chosen] = poison
        yield replace(rows, values=values, outcome=rows.outcome ^ np.array(chosen))


class TestStep:
    def test_it_accepts_training_rows_only(self, step: Step) -> None:
        assert get_type_hints(step.fit)["rows"] is TrainRows

    def test_it_is_fitted_on_no_patient_who_is_scored(self, step: Step) -> None:
        for fold in small_folds(small_rows()):
            spy = Spy(step)
            chain = Chain(steps=(spy,)).fit(fold.training)
            chain.apply(fold.held_out)
            assert spy.fitted_on == [fold.training.patient_ids]
            assert not set(spy.fitted_on[0]) & set(fold.held_out.patient_ids)

    def test_poison_in_held_out_rows_leaves_what_is_learned_byte_equal(self, step: Step) -> None:
        rows = small_rows()
        for number, fold in enumerate(small_folds(rows)):
            clean = learned(step.fit(fold.training))
            for poison in poisoned(rows, fold.fold.held_out):
                bad = replace(fold.dataset, rows=poison)
                again = replace(small_folds(rows)[number], dataset=bad)
                assert learned(step.fit(again.training)) == clean

    def test_poison_in_training_rows_does_not_pass_unnoticed(self, step: Step) -> None:
        # Otherwise the test above could not fail.
        fold = small_folds(small_rows())[0]
        clean = learned(step.fit(fold.training))
        values = fold.training.values.copy()
        values[:5] = 1e9 * np.arange(1, values.shape[1] + 1)
        changed = replace(fold.training, values=values, outcome=~fold.training.outcome)
        assert learned(step.fit(changed)) != clean

    def test_the_same_rows_teach_the_same_bytes(self, step: Step) -> None:
        first = learned(step.fit(small_rows()))
        forget()
        assert learned(step.fit(small_rows())) == first

    def test_it_changes_columns_and_never_cases(self, step: Step) -> None:
        fold = small_folds(small_rows())[0]
        after = step.fit(fold.training).apply(fold.held_out)
        assert type(after) is HeldOutRows
        assert after.case_ids == fold.held_out.case_ids
        assert after.patient_ids == fold.held_out.patient_ids
        np.testing.assert_array_equal(after.outcome, fold.held_out.outcome)

    def test_a_case_is_treated_alike_whoever_else_is_there(self, step: Step) -> None:
        fold = small_folds(small_rows())[0]
        fitted = step.fit(fold.training)
        together = fitted.apply(fold.held_out).values
        alone = [fitted.apply(fold.held_out.among([n])).values for n in range(len(together))]
        np.testing.assert_allclose(np.vstack(alone), together, rtol=1e-12, atol=1e-12)

    def test_it_does_not_change_the_rows_that_it_is_given(self, step: Step) -> None:
        rows = small_rows()
        step.fit(rows).apply(rows)
        np.testing.assert_array_equal(rows.values, small_rows().values)

    def test_other_columns_than_those_fitted_on_are_refused(self, step: Step) -> None:
        rows = small_rows()
        fitted = step.fit(rows)
        with pytest.raises(ColumnsDifferError, match="1 lacking, 0 unknown"):
            fitted.apply(rows.of_columns(range(1, len(rows.columns))))
        with pytest.raises(ColumnsDifferError, match="in another order"):
            fitted.apply(rows.of_columns(range(len(rows.columns))[::-1]))

    def test_a_gap_is_filled_or_named(self, step: Step) -> None:
        rows = small_rows()
        rows.values[4] = np.nan
        if isinstance(step, MedianImputation | Chain):
            assert np.isfinite(step.fit(rows).apply(rows).values).all()
        else:
            with pytest.raises(AbsentValuesError, match="in case C004"):
                step.fit(rows)


def test_a_chain_refuses_rows_that_are_not_to_be_learned_from() -> None:
    held_out = small_folds(small_rows())[0].held_out
    with pytest.raises(TypeError, match="fitted on HeldOutRows; only TrainRows"):
        Chain(steps=()).fit(held_out)  # type: ignore[arg-type]  # what the type checker refuses


def test_each_step_of_a_chain_learns_from_what_the_one_before_has_made() -> None:
    chain = SelectionParameters(trees=20, top=5, components=3).chain
    fitted = chain.fit(small_rows())
    after = fitted.apply(small_rows())
    assert fitted.columns == after.columns
    assert sum(name.startswith("radiomics") for name in after.modalities) == 5
    assert after.columns[-3:] == (
        "embedding.both.pc01",
        "embedding.both.pc02",
        "embedding.both.pc03",
    )
    np.testing.assert_allclose(after.values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(after.values.std(axis=0), 1)
