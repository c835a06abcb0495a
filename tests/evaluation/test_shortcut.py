"""Shortcuts: a planted one is found, one that knows nothing is not."""

import numpy as np

from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.shortcut import audit_shortcut
from tests.builders_predictions import predictions

FEW = Bootstrap(draws=300)


def test_a_centre_that_knows_the_outcome_is_above_chance_and_rivals_the_model() -> None:
    rng = np.random.default_rng(3)
    outcome = rng.random(300) < 0.3
    centre = predictions(outcome, np.where(rng.random(300) < 0.8, outcome, ~outcome))
    model = predictions(outcome, rng.normal(size=300) + outcome)
    found = audit_shortcut(centre, FEW, model=model)
    assert found.above_chance is True
    assert found.rivals_model is True


def test_a_centre_that_knows_nothing_is_at_chance_and_the_model_leads() -> None:
    rng = np.random.default_rng(4)
    outcome = rng.random(300) < 0.3
    centre = predictions(outcome, rng.integers(4, size=300))
    found = audit_shortcut(
        centre, FEW, model=predictions(outcome, rng.normal(size=300) + 1.5 * outcome)
    )
    assert found.above_chance is False
    assert found.rivals_model is False
    assert isinstance(found.lead, Estimate)
    assert found.lead.low > 0


def test_a_shortcut_without_a_model_is_held_against_chance_alone() -> None:
    found = audit_shortcut(predictions([1, 1, 0, 0], [4, 1, 3, 2]), FEW)
    assert (found.lead, found.rivals_model) == (None, None)
    assert found.above_chance is False


def test_a_shortcut_in_one_class_is_not_estimable() -> None:
    found = audit_shortcut(predictions([0, 0], [1, 2]), FEW, model=predictions([0, 0], [2, 1]))
    assert (found.above_chance, found.rivals_model) == (None, None)
