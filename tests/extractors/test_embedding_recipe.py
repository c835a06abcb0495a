import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feature_store.recipe import Recipe
from hnmets.domain.errors import InvalidDataError
from hnmets.domain.region import DrawnRegion, RegionRule, RingRegion
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.networks.weights_file import WeightsError

RULES: dict[str, RegionRule] = {"tumour": DrawnRegion(mask="gtv"), "ring": RingRegion()}


def recipe(rules: dict[str, RegionRule] = RULES, **changed: Any) -> Recipe:  # noqa: ANN401  # any of the settings
    return Embedding(rules=rules, parameters=EmbeddingParameters(**changed)).recipe


@pytest.mark.parametrize(("preset", "size"), [("full", 768), ("mid", 384), ("ci", 192)])
def test_a_recipe_has_one_column_per_number(preset: str, size: int) -> None:
    made = recipe(preset=preset)
    assert (made.columns[0], made.columns[-1]) == ("e000", f"e{size - 1:03d}")
    assert (len(made.columns), made.types, made.kind) == (size, "float", "embedding")
    made.check()


def test_the_recipe_is_known_without_torch_and_monai(tmp_path: Path) -> None:
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"weights")
    code = f"""
import sys
from pathlib import Path
from hnmets.domain.region import DrawnRegion, RingRegion
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.embedding_parameters import EmbeddingParameters
rules = {{"tumour": DrawnRegion(mask="gtv"), "ring": RingRegion()}}
for parameters in (
    EmbeddingParameters(),
    EmbeddingParameters(weights=Path({str(weights)!r}), merging="legacy"),
):
    embedding = Embedding(rules=rules, parameters=parameters)
    embedding.recipe.fingerprint, embedding.crop_key("d")
print(sorted({{"torch", "monai", "safetensors"}} & set(sys.modules)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert ended.stdout.strip() == "[]"


def test_random_weights_are_named_so_and_hang_on_torch() -> None:
    made = recipe(seed=7)
    assert made.parameters["weights"] == "random(seed=7)"
    assert set(made.libraries) == {"monai", "torch"}
    assert all(version.count(".") == 1 for version in made.libraries.values())


def test_weights_from_a_file_are_named_by_their_digest(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(b"abc")
    made = recipe(weights=path, merging="legacy")
    # SHA-256 of "abc", FIPS 180-2 appendix B.1
    assert made.parameters["weights"] == (
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert set(made.libraries) == {"monai"}
    moved = path.rename(tmp_path / "other.pt")
    assert recipe(weights=moved, merging="legacy").fingerprint == made.fingerprint
    moved.write_bytes(b"abcd")
    assert recipe(weights=moved, merging="legacy").fingerprint != made.fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"preset": "mid"},
        {"seed": 1},
        {"merging": "legacy"},
        {"size_voxels": 64},
        {"spacing_mm": 1.5},
        {"window_hu": (-175.0, 250.0)},
        {"precision": "half"},
        {"embed_dim": 96},
        {"depths": (2, 2, 6, 2)},
        {"window": 4},
        {"patch": 1},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_moves_the_values_is_another_recipe(changed: dict[str, Any]) -> None:
    assert recipe(**changed).fingerprint != recipe().fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"device": "cpu"},
        {"batch_size": 2},
        {"compiled": True},
        {"merging": "fixed"},
        {"size_voxels": 96, "spacing_mm": 1},
        {"embed_dim": 48, "depths": (2, 2, 2, 2), "window": 7, "patch": 2},
    ],
)
def test_what_does_not_move_the_values_is_the_same_recipe(changed: dict[str, Any]) -> None:
    assert recipe(**changed).fingerprint == recipe().fingerprint


def test_a_wider_network_has_as_many_more_numbers_from_the_same_crop() -> None:
    wider = EmbeddingParameters(preset="ci", embed_dim=24)
    assert (wider.embedding_size, wider.architecture.heads) == (384, (2, 4, 8, 16))
    assert wider.crop == EmbeddingParameters(preset="ci").crop
    assert len(recipe(preset="ci", embed_dim=24).columns) == 384


def test_variants_and_region_rules_are_recipes_of_their_own() -> None:
    variants = [Embedding(variant=v, rules=RULES).recipe for v in ("both", "tumour", "ring")]
    assert [made.name for made in variants] == [
        "embedding.both",
        "embedding.tumour",
        "embedding.ring",
    ]
    others = [
        recipe(RULES | {"ring": RingRegion(distance_mm=3)}),
        recipe(RULES | {"tumour": DrawnRegion(mask="gtv", label=2)}),
    ]
    assert len({made.fingerprint for made in (*variants, *others)}) == 5


def test_regions_that_the_embedding_does_not_see_do_not_matter() -> None:
    more = RULES | {"nodes": DrawnRegion(mask="gtvn")}
    assert recipe(more).fingerprint == recipe().fingerprint


def test_all_variants_share_a_crop_and_another_spacing_has_its_own() -> None:
    def key(digest: str = "d", **changed: Any) -> str:  # noqa: ANN401  # any of the settings
        variant = changed.pop("variant", "both")
        parameters = EmbeddingParameters(**changed)
        return Embedding(variant=variant, rules=RULES, parameters=parameters).crop_key(digest)

    assert key() == key(variant="ring") == key(seed=1) == key(precision="half")
    assert len({key(), key("other"), key(spacing_mm=1.5), key(preset="ci")}) == 4


def test_a_study_without_the_region_is_told_what_it_has() -> None:
    with pytest.raises(InvalidDataError, match="region 'ring': the study has tumour"):
        Embedding(rules={"tumour": DrawnRegion(mask="gtv")})


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.pt"):
        recipe(weights=tmp_path / "none.pt", merging="fixed")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weights": Path("w.pt")}, "weights need merging"),
        ({"size_voxels": 80}, "size_voxels is 80, must be a multiple of 32"),
        ({"size_voxels": 0}, "must be above 0"),
        ({"patch": 4}, "size_voxels is 96, must be a multiple of 64"),
        ({"embed_dim": 40}, "embed_dim is 40, must be a multiple of 16"),
        ({"spacing_mm": 0.0}, "must be above 0"),
        ({"batch_size": 0}, "batch_size must be above 0"),
        ({"seed": -1}, "seed not negative"),
        ({"device": "cpu", "precision": "half"}, "half precision needs a GPU"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(EmbeddingParameters(), **wrong)
