"""Shapes of a Swin Transformer: presets, and what a study or a search may make of them."""

import pytest

from hnmets.networks.architecture import PRESETS, Preset


@pytest.mark.parametrize("preset", PRESETS)
def test_a_shape_of_which_nothing_changes_is_the_same(preset: Preset) -> None:
    assert PRESETS[preset].reshaped() == PRESETS[preset]
    assert PRESETS[preset].reshaped().identity == PRESETS[preset].identity


@pytest.mark.parametrize(("preset", "width"), [("full", 16), ("mid", 8), ("ci", 12)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_heads_stay_as_wide_whatever_the_embedding(
    preset: Preset, width: int, factor: int
) -> None:
    shape = PRESETS[preset].reshaped(embed_dim=factor * PRESETS[preset].embed_dim)
    # Each stage doubles the channels.
    widths = [2**stage * shape.embed_dim / heads for stage, heads in enumerate(shape.heads)]
    assert widths == [width] * 4
    assert shape.embedding_size == 16 * shape.embed_dim


def test_an_edge_is_halved_by_the_patches_and_four_stages() -> None:
    ci = PRESETS["ci"]
    assert [ci.reshaped(patch=patch).edge_multiple for patch in (1, 2, 4)] == [16, 32, 64]


def test_each_number_reaches_the_shape_and_its_identity_alone() -> None:
    ci = PRESETS["ci"]
    shape = ci.reshaped(depths=(1, 2, 3, 4), window=2, patch=1)
    assert shape.identity == {
        "network": "swin3d",
        "embed_dim": 12,
        "depths": [1, 2, 3, 4],
        "heads": [1, 2, 4, 8],
        "window": 2,
        "patch": 1,
    }
    assert (shape.size_voxels, shape.spacing_mm) == (ci.size_voxels, ci.spacing_mm)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"embed_dim": 20}, "embed_dim is 20, must be a multiple of 12"),
        ({"embed_dim": 0}, "are at least 1"),
        ({"window": 0}, "are at least 1"),
        ({"patch": -1}, "are at least 1"),
        ({"depths": (1, 0, 1, 1)}, "are at least 1"),
    ],
)
def test_a_shape_without_sense_is_refused(change: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PRESETS["ci"].reshaped(**change)  # type: ignore[arg-type]  # any number
