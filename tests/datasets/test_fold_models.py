from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from feature_store.recipe import Recipe
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import FoldMismatchError, SeenInTrainingError
from hnmets.datasets.fold import Fold
from hnmets.datasets.fold_rows import folds_of
from hnmets.datasets.networks import complete_repeats, networks_by_name, shared_folds
from hnmets.datasets.provenance import trained_on
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject
from hnmets.datasets.view import FeatureView
from tests.builders_rows import TEXTURE, case, stored, vector

CASES = [case(f"C{n:02d}", event=n % 3 == 0) for n in range(18)]
SPLIT = draw(
    [Subject(case_id=c.case_id, patient_id=c.case_id, event=c.outcome.event) for c in CASES],  # type: ignore[union-attr]  # all have one
    SplitParameters(folds=3, repeats=2, inner_folds=2),
)
FIRST = tuple(fold for fold in SPLIT.folds if fold.repeat == 1)
VIEW = FeatureView(name="all", recipes=("radiomics.tumour", "trained.swin"))


def network(fold: Fold, split: Split = SPLIT, name: str = "trained.swin") -> Recipe:
    """The recipe of a network that learned from a fold's fitting part."""
    told = trained_on(fold.fitting(), split=split.hash, fold=fold.name)
    return Recipe(
        name=name, kind="trained", columns=("e0", "logit"), types="float", parameters=told
    )


def dataset(folder: Path, networks: dict[str, Recipe], lacking: str = "") -> Dataset:
    """A store in which the network of fold n sees n in everybody, read as a ladder reads it."""
    rows = [vector(TEXTURE, c.case_id, 1, 2) for c in CASES]
    rows += [
        vector(recipe, c.case_id, number, -number)
        for number, recipe in enumerate(networks.values())
        for c in CASES
        if c.case_id != lacking
    ]
    snapshot = stored(folder, CASES, rows, recipes=(TEXTURE, *networks.values()))
    return assemble(snapshot, VIEW, by_fold={fold: [r] for fold, r in networks.items()})


def test_each_fold_sees_by_its_own_network_and_nobody_by_another(tmp_path: Path) -> None:
    found = dataset(tmp_path, {fold.name: network(fold) for fold in FIRST})
    folds = folds_of(found, SPLIT)
    assert [each.fold.name for each in folds] == [fold.name for fold in FIRST]
    for number, fold in enumerate(folds):
        for rows in (fold.training, fold.fitting(), fold.choosing(), fold.held_out):
            np.testing.assert_array_equal(
                rows.values[:, 2:], [[number, -number]] * len(rows.values)
            )
            np.testing.assert_array_equal(rows.values[:, :2], [[1, 2]] * len(rows.values))


def test_outside_of_a_fold_the_columns_are_there_and_empty(tmp_path: Path) -> None:
    found = dataset(tmp_path, {fold.name: network(fold) for fold in FIRST})
    assert found.rows.columns[2:] == ("trained.swin.e0", "trained.swin.logit")
    assert found.rows.modalities[2:] == ("trained.swin",) * 2
    assert np.isnan(found.rows.values[:, 2:]).all()
    assert found.kinds == {"radiomics.tumour": "radiomics", "trained.swin": "trained"}
    assert [(a.modality, a.cases, a.values) for a in found.absent] == [
        ("radiomics.tumour", 0, 0),
        ("trained.swin", 0, 0),
    ]


def test_a_case_that_one_network_has_not_embedded_is_left_out_with_its_reason(
    tmp_path: Path,
) -> None:
    found = dataset(tmp_path, {fold.name: network(fold) for fold in FIRST}, lacking="C04")
    assert found.left_out == {"C04": "lacks trained.swin"}


def test_part_of_a_dataset_keeps_the_networks_of_its_cases(tmp_path: Path) -> None:
    found = dataset(tmp_path, {fold.name: network(fold) for fold in FIRST})
    kept = found.among({"C01", "C02", "C03"}, reason="a test")
    assert {len(each.values) for each in kept.fold_models.values()} == {3}
    assert kept.digest != found.digest


def test_the_digest_of_a_dataset_covers_what_its_networks_see(tmp_path: Path) -> None:
    found = dataset(tmp_path, {fold.name: network(fold) for fold in FIRST})
    (name, models), *_ = found.fold_models.items()
    moved = {**found.fold_models, name: replace(models, values=models.values + 1)}
    assert replace(found, fold_models=moved).digest != found.digest


def test_a_network_that_stands_for_another_fold_is_refused(tmp_path: Path) -> None:
    first, second, third = FIRST
    swapped = {
        first.name: network(second),
        second.name: network(first),
        third.name: network(third),
    }
    found = dataset(tmp_path, swapped)
    with pytest.raises(FoldMismatchError, match="its network was not trained in it"):
        folds_of(found, SPLIT)


def test_a_network_of_another_split_is_refused(tmp_path: Path) -> None:
    other = draw(SPLIT.subjects, replace(SPLIT.parameters, seed=1))
    networks = {fold.name: network(fold, split=other) for fold in other.folds if fold.repeat == 1}
    found = dataset(tmp_path, networks)
    with pytest.raises(FoldMismatchError, match="not trained in it"):
        folds_of(found, SPLIT)


def test_a_network_that_learned_from_a_patient_of_its_own_fold_raises(tmp_path: Path) -> None:
    """The recipe claims the fold, and its training ids give it away."""
    first, *others = FIRST
    leak = network(first)
    told = trained_on([*first.fitting(), first.held_out[0]], split=SPLIT.hash, fold=first.name)
    networks = {first.name: replace(leak, parameters=told)}
    networks |= {fold.name: network(fold) for fold in others}
    (fold, *rest) = folds_of(dataset(tmp_path, networks), SPLIT)
    with pytest.raises(SeenInTrainingError, match=first.held_out[0]):
        _ = fold.held_out
    assert all(len(each.held_out.case_ids) for each in rest)


def test_a_network_that_learned_from_the_part_that_chooses_raises(tmp_path: Path) -> None:
    first, *others = FIRST
    told = trained_on(first.training, split=SPLIT.hash, fold=first.name)
    networks = {first.name: replace(network(first), parameters=told)}
    networks |= {fold.name: network(fold) for fold in others}
    (fold, *_) = folds_of(dataset(tmp_path, networks), SPLIT)
    with pytest.raises(SeenInTrainingError):
        fold.choosing()


def test_networks_are_compared_in_the_repeats_that_all_of_them_have() -> None:
    swin = [network(fold) for fold in SPLIT.folds]
    cnn = [network(fold, name="trained.cnn") for fold in FIRST]
    partial = [network(SPLIT.folds[-1], name="trained.resnet10")]
    found = networks_by_name([*swin, *cnn, *partial, TEXTURE], SPLIT)
    assert {name: complete_repeats(of, SPLIT) for name, of in found.items()} == {
        "trained.swin": {1, 2},
        "trained.cnn": {1},
        "trained.resnet10": frozenset(),
    }
    assert len(shared_folds(found, ["trained.swin"], SPLIT)) == 6
    both = shared_folds(found, ["trained.swin", "trained.cnn", "radiomics.tumour"], SPLIT)
    assert [*both] == [fold.name for fold in FIRST]
    assert [r.name for r in both[FIRST[0].name]] == ["trained.swin", "trained.cnn"]
    assert shared_folds(found, ["radiomics.tumour"], SPLIT) == {}
