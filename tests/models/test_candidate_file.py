"""What is on disk is what was fitted: every model and every step, to the last bit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hnmets.datasets.rows import ChoosingRows, HeldOutRows, TrainRows
from hnmets.models.candidate import Candidate, FittedCandidate
from hnmets.models.candidate_file import files_of, load_candidates, save_candidates
from hnmets.models.catalog import MODELS
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.errors import CandidateFileError
from hnmets.models.fitted_kinds import KINDS
from hnmets.models.pruning import pruned
from hnmets.selection.catalog import STEPS
from hnmets.selection.chain import Chain
from hnmets.selection.components import PrincipalComponents
from hnmets.selection.forest import ForestSelection
from hnmets.selection.imputation import MedianImputation
from hnmets.selection.reference import SelectionParameters
from hnmets.selection.scaling import Scaling
from tests.contracts.test_model import small_model
from tests.models.heads import cohort, thirds

CHAIN = SelectionParameters(trees=20, top=2, components=3).chain
NET = ElasticNet(strengths=(0.1,))
GAPS = 12


def gappy() -> tuple[TrainRows, ChoosingRows, HeldOutRows]:
    """Rows in which some patients lack a radiomics column, and one column is constant."""
    rows = cohort(4, 240, {0: 1.0, 7: 1.0})
    values = rows.values.copy()
    values[::GAPS, 8] = np.nan
    values[:, 10] = 3.0
    return thirds(replace(rows, values=values))


def fitted(model: str = "elastic-net", chain: Chain = CHAIN) -> FittedCandidate:
    training, choosing, _ = gappy()
    candidate = Candidate(name="all", chain=chain, model=small_model(model))
    return candidate.fit(training, choosing, seed=1)


@pytest.mark.parametrize("model", MODELS)
def test_a_candidate_read_back_gives_the_same_risks_to_the_last_bit(
    model: str, tmp_path: Path
) -> None:
    _, _, held_out = gappy()
    before = fitted(model)
    text, numbers = save_candidates([before], tmp_path / "member")
    assert (text.name, numbers.name) == ("member.json", "member.safetensors")
    (after,) = load_candidates(tmp_path / "member")
    np.testing.assert_array_equal(after.risk(held_out), before.risk(held_out))
    assert (after.name, after.calibration, after.chain.columns) == (
        before.name,
        before.calibration,
        before.chain.columns,
    )


def test_every_step_of_the_catalog_can_stand_on_disk() -> None:
    training, _, _ = gappy()
    complete = MedianImputation().fit(training).apply(training)
    for name, step in STEPS.items():
        learned = step().fit(complete)
        assert type(learned) in KINDS.values(), name


def test_members_share_their_lists_of_names(tmp_path: Path) -> None:
    one, two = (save_candidates([fitted()] * n, tmp_path / f"{n}")[0].read_text() for n in (1, 2))
    assert json.loads(one)["names"] == json.loads(two)["names"]


@pytest.mark.parametrize("model", MODELS)
def test_a_pruned_candidate_needs_less_and_says_the_same(model: str) -> None:
    _, _, held_out = gappy()
    whole = fitted(model)
    (small,) = pruned([whole])
    # Two of four radiomics columns stay, the constant clinical one goes, six embeddings stay.
    assert len(small.view.columns) < len(whole.view.columns)
    seen = held_out.of_columns([held_out.columns.index(c) for c in small.view.columns])
    np.testing.assert_array_equal(small.risk(seen), whole.risk(held_out))


def test_candidates_pruned_together_see_the_columns_that_any_needs() -> None:
    training, choosing, held_out = gappy()
    two = [
        Candidate(name=seen, modalities=(seen,), chain=CHAIN, model=NET).fit(
            training, choosing, seed=0
        )
        for seen in ("clinical", "embedding.both")
    ]
    both = pruned(two)
    assert both[0].view.columns == both[1].view.columns
    assert len(both[0].view.columns) == 1 + 6
    seen = held_out.of_columns([held_out.columns.index(c) for c in both[0].view.columns])
    for whole, small in zip(two, both, strict=True):
        np.testing.assert_array_equal(small.risk(seen), whole.risk(held_out))


def test_components_that_a_later_step_drops_are_pruned_with_it() -> None:
    training, choosing, held_out = gappy()
    steps = (
        MedianImputation(),
        PrincipalComponents(components=4),
        ForestSelection(trees=10, top=2, scope=("embedding",)),
        Scaling(),
    )
    whole = Candidate(name="few", chain=Chain(steps=steps), model=NET).fit(
        training, choosing, seed=0
    )
    (small,) = pruned([whole])
    seen = held_out.of_columns([held_out.columns.index(c) for c in small.view.columns])
    np.testing.assert_array_equal(small.risk(seen), whole.risk(held_out))


def test_a_pruned_candidate_survives_the_disk(tmp_path: Path) -> None:
    (small,) = pruned([fitted("boosting")])
    save_candidates([small], tmp_path / "small")
    (again,) = load_candidates(tmp_path / "small")
    _, _, held_out = gappy()
    seen = held_out.of_columns([held_out.columns.index(c) for c in small.view.columns])
    np.testing.assert_array_equal(again.risk(seen), small.risk(seen))


def test_files_that_are_not_as_written_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "member"
    save_candidates([fitted("fusion")], path)
    text, numbers = files_of(path)
    original = text.read_text()
    for old, new, complaint in [
        ("candidates 1", "candidates 9", "values are unknown"),
        ('"hidden":[8]', '"hidden":[5]', "do not fit: .* another shape"),
        ('"projection":8', '"projection":"many"', "values are not as written"),
        ('"kind":"chain"', '"kind":"os.system"', "do not fit"),
        ('"kind":"chain"', '"kind":"scaling"', "do not fit"),
        ('"seed":', '"sead":', "do not fit: .*other fields"),
        ("members.0.chain.steps.0.places", "members.0.chain.steps.0.medians", "is of type"),
    ]:
        assert old in original
        text.write_text(original.replace(old, new))
        with pytest.raises(CandidateFileError, match=complaint):
            load_candidates(path)
    text.write_text(original)
    numbers.write_bytes(numbers.read_bytes()[:-40])
    with pytest.raises(CandidateFileError, match="fitted model member"):
        load_candidates(path)
    numbers.unlink()
    with pytest.raises(CandidateFileError):
        load_candidates(path)
