import json
from dataclasses import asdict, replace

import pytest
from optuna.trial import FixedTrial

from hnmets.tuning.configuration import HeadConfiguration, configuration_of, params_of
from hnmets.tuning.space import HeadSpace, Range, from_json
from tests.builders_searches import EMBEDDING, QUICK, RING, SPACE, TUMOUR


def test_a_space_survives_json() -> None:
    assert from_json(HeadSpace, json.loads(json.dumps(asdict(SPACE)))) == SPACE


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"top": ()}, "`top` has nothing to choose from"),
        ({"correlation_limit": (0.9, 1.2)}, "`correlation_limit` lies above 0"),
        ({"components": (0,)}, "are at least 1"),
        ({"dropout": Range(low=0.5, high=1.0)}, "dropout 1.0 is not between 0 and 0.9"),
        ({"learning_rate": (1e-3, 0.0)}, "a learning_rate, weight_decay, .* is too low"),
        ({"hidden": ((8,), (0,))}, "units, .* are at least 1"),
    ],
)
def test_a_space_without_sense_is_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        HeadSpace(**wrong)  # type: ignore[arg-type]  # that is the point


def test_a_range_has_an_inside_and_a_logarithm() -> None:
    with pytest.raises(ValueError, match="not below"):
        Range(low=1, high=1)
    with pytest.raises(ValueError, match="no logarithm"):
        Range(low=0, high=1, log=True)


ALWAYS_ASKED = {
    "hidden": "6-3",
    "dropout": 0.5,
    "learning_rate": 2e-3,
    "weight_decay": 0.1,
}


def test_what_depends_on_something_that_was_not_chosen_is_not_asked() -> None:
    asked = {
        "radiomics": "none",
        "embedding": "none",
        "fusion": "concatenation",
        "sparsity": 1.5,
        "loss": "cross-entropy",
        **ALWAYS_ASKED,
    }
    found = configuration_of(FixedTrial(asked), SPACE, QUICK)
    assert (found.radiomics, found.embedding) == ((), ())
    assert (found.head.hidden, found.head.sparsity) == ((6, 3), 1.5)
    assert (found.head.projection, found.head.focal_gamma) == (QUICK.projection, QUICK.focal_gamma)


def test_everything_that_was_chosen_reaches_the_configuration() -> None:
    asked = {
        "radiomics": f"{TUMOUR} + {RING}",
        "correlation_limit": 0.9,
        "top": 6,
        "embedding": EMBEDDING,
        "components": 4,
        "fusion": "gated",
        "projection": 2,
        "loss": "focal",
        "focal_gamma": 3.0,
        **ALWAYS_ASKED,
    }
    found = configuration_of(FixedTrial(asked), SPACE, QUICK)
    assert found.radiomics == (TUMOUR, RING)
    assert (found.correlation_limit, found.top, found.components) == (0.9, 6, 4)
    assert (found.head.fusion, found.head.projection, found.head.gamma) == ("gated", 2, 3.0)
    assert found.head.epochs == QUICK.epochs


def test_a_choice_of_one_is_a_decision_and_no_question() -> None:
    decided = HeadSpace(
        radiomics=((),),
        embeddings=("none",),
        fusion=("attention",),
        projection=(8,),
        hidden=((5,),),
        dropout=(0.25,),
        learning_rate=(1e-3,),
        weight_decay=(0.0,),
        loss=("cross-entropy",),
    )
    found = configuration_of(FixedTrial({}), decided, QUICK)
    assert (found.head.hidden, found.head.dropout, found.head.projection) == ((5,), 0.25, 8)


def test_a_trial_that_chooses_a_configuration_comes_to_it() -> None:
    for head in (
        replace(QUICK, sparsity=1.0),
        replace(QUICK, fusion="gated", hidden=(6, 3), projection=2, loss="focal"),
    ):
        for radiomics, embedding in (((TUMOUR, RING), (EMBEDDING,)), ((), ())):
            limit, top = (0.9, 6) if radiomics else (0.8, 3)
            own = HeadConfiguration(
                radiomics=radiomics,
                embedding=embedding,
                correlation_limit=limit,
                top=top,
                components=4 if embedding else 2,
                head=head,
            )
            chosen = params_of(own, SPACE)
            assert chosen
            assert configuration_of(FixedTrial(chosen), SPACE, QUICK) == own


def test_a_configuration_outside_of_the_space_is_chosen_by_nothing() -> None:
    own = HeadConfiguration(
        radiomics=(),
        embedding=(),
        correlation_limit=0.8,
        top=3,
        components=2,
        head=replace(QUICK, learning_rate=0.5),
    )
    assert params_of(own, SPACE) == {}
