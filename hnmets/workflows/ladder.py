"""The ladder of an ablation: what each rung sees, and how it learns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from feature_store.recipe import Recipe
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.extractors.trained_embedding import KIND as TRAINED
from hnmets.models.candidate import Candidate
from hnmets.models.catalog import model_of
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.names import ModelName
from hnmets.networks.architecture import BackboneName
from hnmets.selection.reference import SelectionParameters
from hnmets.workflows.named import named
from hnmets.workflows.study_sections import View

Preset = Literal["ladder", "models", "paper", "backbones"]
BASELINE = "clinical + size"
# Every report has them where the store allows.
MANDATORY = ("size", "clinical", BASELINE)
# What a trained backbone has to add to.
WITHOUT = "clinical + radiomics"
# What the published study knew of its patients.
PAPER_VARIABLES = ("age", "sex", "smoking", "alcohol")


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One thing to try.

    Parameters
    ----------
    name
        What people call it: `clinical + size`.
    recipes
        Names of the feature sets that it needs.
    parts
        What it sees of them, where it does not see all: feature sets and single columns.
    model
        Name of the model in the catalog.
    """

    name: str
    recipes: tuple[str, ...]
    parts: tuple[str, ...] = ()
    model: ModelName

    @property
    def features(self) -> tuple[str, ...]:
        """Feature sets and single columns that it sees."""
        return self.parts or self.recipes

    def candidate(self, selection: SelectionParameters, head: HeadParameters) -> Candidate:
        """Return the steps and the model that are fitted in every fold.

        Parameters
        ----------
        head
            Settings of a fusion head.
        """
        return Candidate(
            name=self.name,
            modalities=self.features,
            chain=selection.chain,
            model=model_of(self.model, head),
        )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which rungs are wanted, and what the last of them is asked beside its numbers.

    Parameters
    ----------
    preset
        See `rungs_of`.
    views
        Rungs beside those of the preset; they stand before the others.
    only
        Names of the rungs that are wanted, the one that the report is about last; size,
        clinical and clinical + size are added. All by default.
    backbones
        Names of those that `backbones` compares; all that the store holds by default.
    permutations
        Shuffles of the outcome on which the last rung is fitted and scored anew.
    """

    preset: Preset = "ladder"
    backbones: tuple[BackboneName, ...] = ()
    views: tuple[View, ...] = ()
    only: tuple[str, ...] = ()
    permutations: int = 0

    @property
    def name(self) -> str:
        """What people call the whole: `ladder`, or the one rung that it is about."""
        return self.only[-1] if self.only else self.preset


# How a rung is fitted in a fold, by the fold's name.
CandidateOf = Callable[[Rung, str], Candidate]


def as_set(selection: SelectionParameters, head: HeadParameters) -> CandidateOf:
    """Return what fits a rung with the same settings in every fold."""
    return lambda rung, _fold: rung.candidate(selection, head)


def preset_of(name: str) -> Preset:
    """Return the preset of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    found: Preset = named(name, get_args(Preset), "preset")
    return found


def rungs_of(recipes: Sequence[Recipe], choice: Choice) -> tuple[Rung, ...]:
    """Return the rungs that the feature sets allow, from little to much.

    `ladder` has single modalities, pairs and all of them, beside clinical + size, which every
    other rung has to beat. `models` has every model on all of them. `paper` is the study as
    published: tumour radiomics, Swin embedding, age, sex, smoking and alcohol, each modality
    alone and fused by a fully connected network. `backbones` has every backbone untrained,
    trained, and beside clinical + radiomics.

    Parameters
    ----------
    recipes
        Feature sets of the store, one per name.

    Raises
    ------
    InvalidDataError
        If there is no feature set to learn from, or a view names what the store lacks.
    UsageError
        If there is no rung of a name.

    References
    ----------
    Kazmierski et al. 2023, doi:10.1158/2767-9764.CRC-22-0152: clinical variables and volume
    came out ahead of deep networks. arXiv 2508.20469: the published study.
    """
    own = [rung_of(view, recipes) for view in choice.views]
    rungs = _PRESETS[choice.preset](_of_backbones(recipes, choice.backbones))
    if not rungs:
        raise InvalidDataError("the store has no features to learn from").with_note(
            "Run `hnmets features build`."
        )
    everything = _without_repeats([*own, *rungs])
    return _only(everything, choice.only) if choice.only else tuple(everything)


def views_of(features: tuple[str, ...], *, model: str) -> tuple[View, ...]:
    """Return the view of some features, with a name that tells them; none without features.

    Raises
    ------
    UsageError
        If there is no such model.
    """
    if not features:
        return ()
    name: ModelName = named(model, get_args(ModelName), "model")
    return (View(name=f"{' + '.join(features)}, {name}", features=features, model=name),)


def rung_of(view: View, recipes: Sequence[Recipe]) -> Rung:
    """Return the rung of a view.

    Raises
    ------
    InvalidDataError
        If the store has nothing of a name that the view gives.
    """
    needed: dict[str, None] = {}
    for feature in view.features:
        holding = [recipe.name for recipe in recipes if _holds(recipe, feature)]
        if not holding:
            known = ", ".join(recipe.name for recipe in recipes) or "nothing"
            raise InvalidDataError(
                f"view '{view.name}': the store has no '{feature}'; it has {known}"
            ).with_note("A single column is written `clinical.age`; build what is not there yet.")
        needed |= dict.fromkeys(holding)
    return Rung(name=view.name, recipes=tuple(needed), parts=view.features, model=view.model)


def _only(rungs: Sequence[Rung], names: Sequence[str]) -> tuple[Rung, ...]:
    """Return the rungs of these names, behind those that everything has to beat."""
    by_name = {rung.name: rung for rung in rungs}
    if unknown := [name for name in names if name not in by_name]:
        raise UsageError(f"no rung '{unknown[0]}'").with_note(
            f"There are {', '.join(by_name)}; or describe it by --features."
        )
    mandatory = [name for name in MANDATORY if name in by_name and name not in names]
    return tuple(by_name[name] for name in (*mandatory, *names))


def _holds(recipe: Recipe, feature: str) -> bool:
    column = feature.removeprefix(f"{recipe.name}.")
    return (
        recipe.name == feature
        or recipe.name.startswith(f"{feature}.")
        or (column != feature and column in recipe.columns)
    )


def _by_kind(recipes: Sequence[Recipe]) -> dict[str, tuple[str, ...]]:
    kinds: dict[str, tuple[str, ...]] = {}
    for recipe in recipes:
        kinds[recipe.kind] = (*kinds.get(recipe.kind, ()), recipe.name)
    return kinds


def _ladder(recipes: Sequence[Recipe]) -> list[Rung]:
    by_kind = _by_kind(recipes)
    size, clinical = by_kind.get("size", ()), by_kind.get("clinical", ())
    radiomics, embeddings = by_kind.get("radiomics", ()), by_kind.get("embedding", ())
    trained = by_kind.get(TRAINED, ())
    deep = _main_embedding(trained) or _main_embedding(embeddings)
    tables = by_kind.get("table", ())
    wanted = [
        ("size", (size,)),
        ("clinical", (clinical,)),
        (BASELINE, (clinical, size)),
        *((name.replace(".", " "), ((name,),)) for name in radiomics),
        ("radiomics", (radiomics,)),
        *((name.replace(".", " "), ((name,),)) for name in (*embeddings, *trained)),
        *((name, ((name,),)) for name in tables),
        ("clinical + radiomics", (clinical, radiomics)),
        ("clinical + embedding", (clinical, deep)),
        ("radiomics + embedding", (radiomics, deep)),
        ("all", (clinical, size, radiomics, deep)),
    ]
    rungs = _possible(wanted, model="elastic-net")
    # The last one has everything there is, whatever the store lacks.
    last = [replace(rung, name=f"{rung.name}, fused", model="fusion") for rung in rungs[-1:]]
    return [*rungs, *last]


def _models(recipes: Sequence[Recipe]) -> list[Rung]:
    """Return every model on all there is, the reference of the ladder last."""
    ladder = _ladder(recipes)
    names: list[ModelName] = sorted(get_args(ModelName), key=lambda name: name == "fusion")
    baselines = [rung for rung in ladder if rung.name in MANDATORY]
    everything = ladder[-1:]
    return [
        *baselines,
        *(
            replace(rung, name=f"{rung.name.removesuffix(', fused')}, {name}", model=name)
            for rung in everything
            for name in names
        ),
    ]


def _paper(recipes: Sequence[Recipe]) -> list[Rung]:
    by_kind = _by_kind(recipes)
    radiomics = tuple(n for n in by_kind.get("radiomics", ()) if n == "radiomics.tumour")
    # An imported embedding is no Swin Transformer's.
    own = tuple(name for name in by_kind.get("embedding", ()) if name.startswith("embedding."))
    deep = _main_embedding(by_kind.get(TRAINED, ())) or _main_embedding(own)
    clinical = tuple(
        f"{recipe.name}.{variable}"
        for recipe in recipes
        if recipe.kind == "clinical"
        for variable in PAPER_VARIABLES
        if variable in recipe.columns
    )
    wanted = {
        "radiomics": radiomics,
        "Swin embedding": deep,
        "clinical": clinical,
        "fused": (*radiomics, *deep, *clinical) if radiomics and deep and clinical else (),
    }
    return [
        rung_of(View(name=name, features=features, model="fusion-paper"), recipes)
        for name, features in wanted.items()
        if features
    ]


def _of_backbones(recipes: Sequence[Recipe], names: Sequence[BackboneName]) -> list[Recipe]:
    """Return the recipes without embeddings of other backbones."""
    if not names:
        return list(recipes)
    wanted = {f"{kind}.{name}" for kind in ("embedding", TRAINED) for name in names}
    if "swin" in names:
        wanted.add("embedding.both")
    return [r for r in recipes if r.kind not in {"embedding", TRAINED} or r.name in wanted]


def _backbones(recipes: Sequence[Recipe]) -> list[Rung]:
    """Return every backbone untrained, trained, and fused with all that is no embedding."""
    by_kind = _by_kind(recipes)
    ladder = {rung.name: rung for rung in _ladder(recipes)}
    clinical, radiomics = by_kind.get("clinical", ()), by_kind.get("radiomics", ())
    trained = by_kind.get(TRAINED, ())
    frozen = tuple(
        name
        for name in by_kind.get("embedding", ())
        if name not in {"embedding.tumour", "embedding.ring"}
    )
    wanted = [
        *((name.replace(".", " "), ((name,),)) for name in (*frozen, *trained)),
        (WITHOUT, (clinical, radiomics)),
        *((f"{WITHOUT} + {n.replace('.', ' ')}", (clinical, radiomics, (n,))) for n in trained),
    ]
    return [
        *(ladder[name] for name in MANDATORY if name in ladder),
        *_possible(wanted, model="elastic-net"),
    ]


_PRESETS: Mapping[Preset, Callable[[Sequence[Recipe]], list[Rung]]] = {
    "ladder": _ladder,
    "models": _models,
    "paper": _paper,
    "backbones": _backbones,
}


def _possible(
    wanted: Sequence[tuple[str, tuple[tuple[str, ...], ...]]], *, model: ModelName
) -> list[Rung]:
    """Return the rungs whose every part is in the store."""
    return [
        Rung(name=name, recipes=tuple(recipe for part in parts for recipe in part), model=model)
        for name, parts in wanted
        if all(parts)
    ]


def _main_embedding(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the Swin Transformer's embedding of tumour and ring; all where there is none."""
    main = tuple(name for name in names if name in {"embedding.both", "trained.swin"})
    return main or names


def _without_repeats(rungs: Sequence[Rung]) -> list[Rung]:
    """Return the rungs once; of two that are alike the first: one region alone is "radiomics"."""
    first: dict[tuple[tuple[str, ...], str], Rung] = {}
    for rung in rungs:
        first.setdefault((rung.features, rung.model), rung)
    return list(first.values())
