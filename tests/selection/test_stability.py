import numpy as np
import pytest

from hnmets.selection.stability import selection_frequency, selection_stability


def test_frequency_counts_folds_and_orders_ties_by_name() -> None:
    chosen = [("a", "c"), ("b", "c"), ("c", "a"), ("d", "c")]
    assert selection_frequency(chosen) == {"c": 1.0, "a": 0.5, "b": 0.25, "d": 0.25}
    assert list(selection_frequency(chosen)) == ["c", "a", "b", "d"]


def test_stability_is_the_worked_out_value() -> None:
    # Two folds, four candidates, {a, b} and {a, c}: shares 1, ½, ½, 0; variances 0, ½, ½, 0 with
    # the factor 2/1; their mean ¼ over ½·½ leaves 0.
    assert selection_stability([{"a", "b"}, {"a", "c"}], candidates=4) == pytest.approx(0)
    # Of six candidates: mean (½ + ½)/6 over ⅓·⅔, so 1 - 3/4.
    assert selection_stability([{"a", "b"}, {"a", "c"}], candidates=6) == pytest.approx(0.25)


def test_choices_by_chance_have_no_stability() -> None:
    rng = np.random.default_rng(0)
    chosen = [set(map(str, rng.choice(500, 36, replace=False))) for _ in range(200)]
    assert selection_stability(chosen, candidates=500) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("chosen", [[set(), set()], [{"a", "b"}, {"a", "b"}]])
def test_no_choice_has_no_stability(chosen: list[set[str]]) -> None:
    assert selection_stability(chosen, candidates=2) is None


@pytest.mark.parametrize(("chosen", "candidates"), [([{"a"}], 5), ([{"a"}, {"b"}], 1)])
def test_one_fold_or_too_few_candidates_are_refused(
    chosen: list[set[str]], candidates: int
) -> None:
    with pytest.raises(ValueError, match="columns"):
        selection_stability(chosen, candidates=candidates)
