from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import FoldMismatchError
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.models.candidate import Candidate, CandidateJob, fit_all
from hnmets.models.fitted_fusion import FittedFusion
from hnmets.models.fusion import Fusion
from hnmets.models.head_scores import log_odds
from hnmets.selection.reference import SelectionParameters
from hnmets.tuning.head_search import HeadSearch
from hnmets.tuning.part import Part, load_part, save_part
from hnmets.tuning.tables import part_of
from tests.builders_rows import dataset_of, subjects_in, train_rows
from tests.builders_searches import CHOSEN, EMBEDDING, RING, SPACE, TUMOUR

SELECTION = SelectionParameters(trees=20)
MODALITIES = ("clinical", "clinical", "size.tumour", *[TUMOUR] * 9, *[RING] * 9, *[EMBEDDING] * 12)
ALWAYS = ("clinical", "size.tumour")


@pytest.fixture(scope="module")
def fold() -> FoldRows:
    """An inner fold with correlated radiomics, some of which tell the outcome."""
    rng = np.random.default_rng(1)
    outcome = np.arange(150) % 3 == 0
    values = rng.normal(size=(150, len(MODALITIES)))
    values[:, 4] = values[:, 3] + 0.05 * rng.normal(size=150)
    values[:, 5] += outcome
    values[:, 14] += outcome
    values[7, 0] = np.nan
    data = dataset_of(train_rows(values, outcome, MODALITIES))
    split = draw(subjects_in(data.rows), SplitParameters(folds=3, repeats=1, inner_folds=3))
    return folds_of(data, split)[0]


@pytest.fixture(scope="module")
def part(fold: FoldRows) -> Part:
    return part_of(fold, SPACE, always=ALWAYS, selection=SELECTION, never=())


@pytest.mark.parametrize("radiomics", [(), (TUMOUR,), (TUMOUR, RING)])
@pytest.mark.parametrize("choice", [(0.8, 3), (0.9, 6)])
@pytest.mark.parametrize("compression", [((), 2), ((EMBEDDING,), 4)])
def test_a_head_of_a_search_is_the_head_that_the_study_would_fit(
    fold: FoldRows,
    part: Part,
    radiomics: tuple[str, ...],
    choice: tuple[float, int],
    compression: tuple[tuple[str, ...], int],
) -> None:
    (limit, top), (embedding, components) = choice, compression
    chosen = replace(
        CHOSEN,
        radiomics=radiomics,
        correlation_limit=limit,
        top=top,
        embedding=embedding,
        components=components,
    )
    selection = replace(SELECTION, correlation_limit=limit, top=top, components=components)
    candidate = Candidate(
        name="as the study",
        modalities=(*ALWAYS, *radiomics, *embedding),
        chain=selection.chain,
        model=Fusion(parameters=chosen.head),
    )
    job = CandidateJob(candidate=candidate, rows=fold.fitting(), choosing=fold.choosing(), seed=11)
    (fitted,) = fit_all([job])
    model = fitted.model
    assert isinstance(model, FittedFusion)
    table = part.table(chosen)
    assert table.widths == model.widths
    (tried,) = HeadSearch(parts=[part], seed=11, at_once=5).tried([chosen])
    np.testing.assert_allclose(tried.curves[0], model.losses, rtol=1e-6)
    rows = fitted.chain.apply(fitted.view.apply(fold.held_out))
    expected = model.log_odds(rows)
    found = log_odds(model.weights, table.scored.inputs, model.layout)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_equal_choices_share_their_rows(part: Part) -> None:
    assert part.table(CHOSEN) is part.table(replace(CHOSEN, head=replace(CHOSEN.head, dropout=0)))


def test_a_part_survives_its_file_and_names_nobody(part: Part, tmp_path: Path) -> None:
    file = tmp_path / "study" / "0.npz"
    save_part(file, part)
    read = load_part(file)
    assert read.sizes == part.sizes
    for key, block in part.blocks.items():
        np.testing.assert_array_equal(read.blocks[key].values, block.values)
        np.testing.assert_array_equal(read.blocks[key].rank, block.rank)
        assert read.blocks[key].modalities == block.modalities
    with np.load(file) as arrays:
        texts = [t for name in arrays for t in np.ravel(arrays[name]) if isinstance(t, str)]
    assert not any("case" in text or "patient" in text for text in texts)


def test_a_patient_of_the_outer_fold_stops_the_search(fold: FoldRows) -> None:
    stranger = fold.fitting().case_ids[0]
    with pytest.raises(FoldMismatchError, match=stranger):
        part_of(fold, SPACE, always=ALWAYS, selection=SELECTION, never=(stranger,))


def test_nothing_is_learned_from_the_rows_that_are_scored(fold: FoldRows, part: Part) -> None:
    rows = fold.dataset.rows
    held_out = [rows.case_ids.index(case) for case in fold.held_out.case_ids]
    values = rows.values.copy()
    values[held_out] *= 1e6
    poisoned = replace(fold, dataset=replace(fold.dataset, rows=replace(rows, values=values)))
    again = part_of(poisoned, SPACE, always=ALWAYS, selection=SELECTION, never=())
    learned = sum(part.sizes[:2])
    for key, block in part.blocks.items():
        np.testing.assert_array_equal(again.blocks[key].values[:learned], block.values[:learned])
        np.testing.assert_array_equal(again.blocks[key].rank, block.rank)
