"""What a search of backbones may choose, and how a trial comes to it."""

import json
from dataclasses import asdict, replace

import pytest
from optuna.trial import FixedTrial

from hnmets.models.backbone.parameters import SAFE_AUGMENTATIONS, BackboneParameters
from hnmets.networks.architecture import PRESETS
from hnmets.tuning.backbone_space import BackboneConfiguration, BackboneSpace, backbone_of
from hnmets.tuning.plan import EVERYBODY, BackbonePlan
from hnmets.tuning.space import Range, from_json

CI = PRESETS["ci"]
BASE = BackboneParameters(epochs=7, batch_size=4, seed=3)
SPACE = BackboneSpace(
    embed_dim=(12, 24),
    depths=((1, 1, 1, 1), (1, 1, 2, 1)),
    window=(2, 4),
    patch=(1, 2),
    dropout=(0.0, 0.25),
)
TRAINED = {
    "learning_rate": 1e-3,
    "weight_decay": 0.01,
    "dropout": 0.25,
    "variant": "tumour",
    "init": 1,
}
SWIN = {"embed_dim": 24, "depths": "1-1-2-1", "window": 2, "patch": 1, "frozen_tables": True}
PLAN = BackbonePlan(
    name="backbone-test",
    studies={"repeat 1 fold 1": 1, EVERYBODY: 1},
    trials=4,
    seed=3,
    rungs=(1, 2),
    space=SPACE,
    base=BASE,
    architecture=CI,
    merging="fixed",
)


def chosen(**asked: object) -> BackboneConfiguration:
    return backbone_of(FixedTrial({**TRAINED, **asked}), SPACE, CI, BASE)


def test_a_space_survives_json() -> None:
    assert from_json(BackboneSpace, json.loads(json.dumps(asdict(SPACE)))) == SPACE
    assert isinstance(SPACE.learning_rate, Range)


def test_a_plan_survives_json() -> None:
    assert BackbonePlan.of_json(json.loads(json.dumps(asdict(PLAN)))) == PLAN


def test_everything_that_was_chosen_reaches_the_configuration() -> None:
    found = chosen(backbone="swin", augmentation="strong", **SWIN)
    shape = found.architecture
    assert (shape.embed_dim, shape.depths, shape.window, shape.patch) == (24, (1, 1, 2, 1), 2, 1)
    assert (shape.size_voxels, shape.spacing_mm) == (CI.size_voxels, CI.spacing_mm)
    assert (found.backbone, found.init) == ("swin", 1)
    assert found.training == replace(
        BASE,
        learning_rate=1e-3,
        weight_decay=0.01,
        dropout=0.25,
        augment=("flip-x", "flip-y", *SAFE_AUGMENTATIONS),
        variant="tumour",
        frozen_tables=True,
    )


def test_another_network_is_not_asked_for_what_belongs_to_a_swin() -> None:
    # A `FixedTrial` raises where it is asked for what it lacks.
    found = chosen(backbone="cnn", augmentation="none")
    assert (found.architecture, found.training.frozen_tables) == (CI, False)
    assert found.training.augment == ()
    with pytest.raises(ValueError, match="frozen_tables"):
        chosen(backbone="swin", augmentation="none")


def test_a_choice_of_one_is_a_decision_and_no_question() -> None:
    decided = BackboneSpace(
        backbone=("swin",),
        embed_dim=(36,),
        depths=((2, 2, 2, 2),),
        window=(4,),
        patch=(2,),
        frozen_tables=(True,),
        learning_rate=(2e-3,),
        weight_decay=(0.0,),
        dropout=(0.5,),
        augmentation=("safe",),
        variant=("ring",),
        init=(9,),
    )
    found = backbone_of(FixedTrial({}), decided, CI, BASE)
    assert (found.architecture.embed_dim, found.architecture.heads) == (36, (3, 6, 12, 24))
    assert (found.training.learning_rate, found.training.variant) == (2e-3, "ring")
    assert found.init == 9


def test_by_default_the_studys_shape_is_tried_beside_a_wider_and_a_deeper_one() -> None:
    space = BackboneSpace().filled(CI)
    assert space.embed_dim == (12, 24)
    assert space.depths == ((1, 1, 1, 1), (2, 2, 2, 2))
    assert (space.window, space.patch) == ((4,), (2,))
    full = BackboneSpace(window=(7, 4)).filled(PRESETS["full"])
    assert (full.depths, full.window) == (((2, 2, 2, 2),), (7, 4))


def test_what_has_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(ValueError, match="`init` has nothing to choose from"):
        BackboneSpace(init=())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"patch": (2, 4)}, "patch 4 needs crops whose edge is a multiple of 64"),
        ({"embed_dim": (12, 20)}, "embed_dim is 20, must be a multiple of 12"),
        ({"embed_dim": (0,)}, "embed_dim, depths, window and patch are at least 1"),
        ({"window": (4, 0)}, "embed_dim, depths, window and patch are at least 1"),
        ({"depths": ((1, 1, 1, 0),)}, "embed_dim, depths, window and patch are at least 1"),
    ],
)
def test_a_shape_that_is_none_for_the_crops_has_a_reason(
    change: dict[str, tuple[int, ...]], reason: str
) -> None:
    space = replace(SPACE, **change)  # type: ignore[arg-type]  # any field
    assert space.why_not(CI, CI.size_voxels) == reason


def test_the_same_patch_fits_larger_crops() -> None:
    assert replace(SPACE, patch=(4,)).why_not(CI, 64) == ""
