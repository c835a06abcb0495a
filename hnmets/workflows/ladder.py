"""The ladder of an ablation: what each rung sees, and how it learns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from feature_store.recipe import Recipe
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.models.candidate import Candidate
from hnmets.models.catalog import MODELS
from hnmets.selection.reference import SelectionParameters

Preset = Literal["ladder", "paper"]
BASELINE = "clinical + size"


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One thing to try.

    Parameters
    ----------
    name
        What people call it: `clinical + size`.
    recipes
        Names of the feature sets that it sees.
    model
        Name of the model in the catalog.
    """

    name: str
    recipes: tuple[str, ...]
    model: str

    def candidate(self, selection: SelectionParameters) -> Candidate:
        """Return the steps and the model that are fitted in every fold."""
        return Candidate(
            name=self.name,
            modalities=self.recipes,
            chain=selection.chain,
            model=MODELS[self.model],
        )


def preset_of(name: str) -> Preset:
    """Return the preset of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    for preset in get_args(Preset):
        if preset == name:
            found: Preset = preset
            return found
    raise UsageError(f"no preset '{name}'").with_note(f"Choose of {', '.join(get_args(Preset))}.")


def rungs_of(recipes: Sequence[Recipe], preset: Preset) -> tuple[Rung, ...]:
    """Return the rungs that the feature sets allow, from little to much.

    `ladder` has single modalities, pairs and all of them, beside clinical + size, which every
    other rung has to beat. `paper` is the study as published: tumour radiomics, Swin embedding
    and clinical variables, each alone and fused by a fully connected network.

    Parameters
    ----------
    recipes
        Feature sets of the store, one per name.

    Raises
    ------
    InvalidDataError
        If there is no feature set to learn from.

    References
    ----------
    Kazmierski et al. 2023, doi:10.1158/2767-9764.CRC-22-0152: clinical variables and volume
    came out ahead of deep networks. arXiv 2508.20469: the published study.
    """
    by_kind = _by_kind(recipes)
    rungs = _paper(by_kind) if preset == "paper" else _ladder(by_kind)
    if not rungs:
        raise InvalidDataError("the store has no features to learn from").with_note(
            "Run `hnmets features build`."
        )
    return rungs


def _by_kind(recipes: Sequence[Recipe]) -> dict[str, tuple[str, ...]]:
    kinds: dict[str, tuple[str, ...]] = {}
    for recipe in recipes:
        kinds[recipe.kind] = (*kinds.get(recipe.kind, ()), recipe.name)
    return kinds


def _ladder(by_kind: dict[str, tuple[str, ...]]) -> tuple[Rung, ...]:
    size, clinical = by_kind.get("size", ()), by_kind.get("clinical", ())
    radiomics, embeddings = by_kind.get("radiomics", ()), by_kind.get("embedding", ())
    deep = _main_embedding(embeddings)
    tables = by_kind.get("table", ())
    wanted = [
        ("size", (size,)),
        ("clinical", (clinical,)),
        (BASELINE, (clinical, size)),
        *((name.replace(".", " "), ((name,),)) for name in radiomics),
        ("radiomics", (radiomics,)),
        *((name.replace(".", " "), ((name,),)) for name in embeddings),
        *((name, ((name,),)) for name in tables),
        ("clinical + radiomics", (clinical, radiomics)),
        ("clinical + embedding", (clinical, deep)),
        ("radiomics + embedding", (radiomics, deep)),
        ("all", (clinical, size, radiomics, deep)),
    ]
    rungs = [
        Rung(name=name, recipes=tuple(r for part in parts for r in part), model="elastic-net")
        for name, parts in wanted
        if all(parts)
    ]
    last = [replace(rung, name=f"{rung.name}, fused", model="fusion") for rung in rungs[-1:]]
    # One region alone is what "radiomics" already says.
    return tuple(_without_repeats([*rungs, *last]))


def _paper(by_kind: dict[str, tuple[str, ...]]) -> tuple[Rung, ...]:
    radiomics = tuple(n for n in by_kind.get("radiomics", ()) if n == "radiomics.tumour")
    deep = _main_embedding(by_kind.get("embedding", ()))
    clinical = by_kind.get("clinical", ())
    wanted = [
        ("radiomics", (radiomics,)),
        ("Swin embedding", (deep,)),
        ("clinical", (clinical,)),
        ("fused", (radiomics, deep, clinical)),
    ]
    return tuple(
        Rung(name=name, recipes=tuple(r for part in parts for r in part), model="fusion")
        for name, parts in wanted
        if all(parts)
    )


def _main_embedding(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the embedding of tumour and ring together; all of them where there is none."""
    both = tuple(name for name in names if name == "embedding.both")
    return both or names


def _without_repeats(rungs: Sequence[Rung]) -> list[Rung]:
    seen: set[tuple[tuple[str, ...], str]] = set()
    kept = []
    for rung in rungs:
        if (rung.recipes, rung.model) not in seen:
            kept.append(rung)
            seen.add((rung.recipes, rung.model))
    return kept
