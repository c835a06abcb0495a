"""The truth beside a cohort's data: it speaks of that cohort alone, and says what can be seen."""

from pathlib import Path

import pytest

from hnmets.sources.synthetic.cohort import SyntheticCohort, write_tables
from hnmets.sources.synthetic.oracle import oracle_auc
from hnmets.sources.synthetic.outcome_model import OUTCOME_MODELS
from hnmets.sources.synthetic.truth import Truth

COHORT = SyntheticCohort(cases=8, seed=3, scale=0.25)
EVENTS = {person.case_id: person.event for person in COHORT.people()}


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    write_tables(COHORT, tmp_path)
    found = Truth.beside(tmp_path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kinds", "latents"),
    [
        ({"clinical"}, {"clinical"}),
        ({"size"}, {"volume"}),
        ({"size", "clinical"}, {"clinical", "volume"}),
        ({"radiomics"}, {"volume", "texture", "ring"}),
        ({"embedding"}, {"volume", "texture", "ring", "spatial"}),
        ({"clinical", "embedding"}, {"clinical", "volume", "texture", "ring", "spatial"}),
    ],
)
def test_a_kind_of_features_can_see_what_the_generator_put_there(
    truth: Truth, kinds: set[str], latents: set[str]
) -> None:
    wanted = oracle_auc(OUTCOME_MODELS["B"], latents)
    assert truth.oracle_auc(kinds) == pytest.approx(wanted, abs=5e-5)


def test_what_a_table_can_see_nobody_knows(truth: Truth) -> None:
    assert truth.oracle_auc({"clinical", "table"}) is None
    assert truth.oracle_auc(set()) is None


def test_it_speaks_of_its_own_cases_and_their_own_outcome(truth: Truth) -> None:
    first = next(iter(EVENTS))
    assert truth.speaks_of(EVENTS)
    assert truth.speaks_of({first: EVENTS[first]})
    assert not truth.speaks_of({first: not EVENTS[first]})
    assert not truth.speaks_of({"HN-001": True})


@pytest.mark.parametrize("text", ["[1, 2]", '{"gtv": "true"}', '{"generator_version": 0}'])
def test_a_file_of_that_name_from_elsewhere_is_no_truth(tmp_path: Path, text: str) -> None:
    assert Truth.beside(tmp_path) is None
    (tmp_path / "truth.json").write_text(text)
    assert Truth.beside(tmp_path) is None
