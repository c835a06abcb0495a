"""A search of fusion heads: what may be chosen, and what stands before every head."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from feature_store.recipe import Recipe
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.tuning.configuration import HeadConfiguration, params_of
from hnmets.tuning.part import save_part
from hnmets.tuning.plan import HeadPlan
from hnmets.tuning.space import NONE, HeadSpace
from hnmets.tuning.tables import part_of
from hnmets.workflows.ablation_plan import material_of, unsuspicious
from hnmets.workflows.ladder import BASELINE, Choice, Rung, rungs_of
from hnmets.workflows.searches import (
    InnerFolds,
    Missing,
    Search,
    inner_folds,
    missing_parts,
    name_of,
    opened_folder,
)
from hnmets.workflows.study import Study

OnPart = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class SearchOfHeads(Search):
    """A search of fusion heads that is prepared.

    Parameters
    ----------
    always
        Recipes that every configuration sees.
    default
        The rung with everything, as the study sets it.
    baseline
        Clinical + size, where the store has them.
    """

    plan: HeadPlan
    always: tuple[str, ...]
    default: Rung
    baseline: Rung | None


def prepare_heads(
    study: Study,
    *,
    on_part: OnPart = lambda _study, _done, _of: None,
    must_exist: bool = False,
) -> SearchOfHeads:
    """Check what may be chosen against the store, and fit what stands before every head.

    What is there from an earlier call is kept: the folder is named by everything that decides
    what is in it.

    Parameters
    ----------
    must_exist
        Whether the folder has to be there already.

    Raises
    ------
    InvalidDataError
        If the space names what the store lacks, no fold can be searched for, or the folder that
        must exist does not.
    """
    material = material_of(study)
    recipes = material.plain
    space = checked_space(study.tuning.head, recipes, study)
    rungs = {rung.name: rung for rung in rungs_of(recipes, Choice())}
    default = next(reversed(rungs.values()))
    always = tuple(_always(recipes, study))
    names = dict.fromkeys((*always, *_searched(space), *default.recipes))
    view = FeatureView(name="search", recipes=tuple(names), policy=study.evaluation.policy)
    dataset = assemble(material.snapshot, view)
    unsuspicious(dataset)
    inner = inner_folds(study, material.split, dataset, fewest=2)
    plan = _plan(study, space, (dataset, material.split, default), inner)
    folder = opened_folder(study, plan.name, must_exist=must_exist)
    # Before its parts, which take minutes: who asks meanwhile shall hear of the search.
    plan.write(folder)
    missing = list(missing_parts(folder, inner, material.split))

    def write(each: Missing) -> None:
        part = part_of(
            each.fold, space, always=always, selection=study.selection, never=each.never
        )
        save_part(each.file, part)

    on_part("choosing features", 0, len(missing))
    # Trees are grown outside of Python's lock: threads share the cores, and the features.
    with ThreadPoolExecutor(study.build.jobs) as threads:
        for done, _ in enumerate(threads.map(write, missing), 1):
            on_part("choosing features", done, len(missing))
    return SearchOfHeads(
        study=study,
        plan=plan,
        folder=folder,
        dataset=dataset,
        split=inner.searched(material.split),
        unsearched=inner.unsearched,
        always=always,
        default=default,
        baseline=rungs.get(BASELINE),
    )


def checked_space(space: HeadSpace, recipes: Sequence[Recipe], study: Study) -> HeadSpace:
    """Return the space with the store's radiomics and embeddings where it names none.

    Raises
    ------
    InvalidDataError
        If it names what the store lacks.
    """
    radiomics = sorted(
        _of_families(recipes, study.selection.radiomics),
        # Drawn regions before their rings.
        key=lambda name: name.rpartition(".")[2] not in study.drawn,
    )
    embeddings = _of_families(recipes, study.selection.embeddings)
    filled = replace(
        space,
        radiomics=space.radiomics if space.radiomics is not None else _sets_of(radiomics),
        embeddings=space.embeddings if space.embeddings is not None else (NONE, *embeddings),
    )
    _require("radiomics", {n for names in filled.radiomics or () for n in names}, radiomics)
    _require("embeddings", set(filled.embeddings or ()) - {NONE}, embeddings)
    return filled


def _sets_of(radiomics: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return each recipe, and the first, the tumour, with each of the others."""
    singles = [(name,) for name in radiomics]
    pairs = [(radiomics[0], name) for name in radiomics[1:]]
    return (*singles, *pairs) or ((),)


def _require(setting: str, named: set[str], known: Sequence[str]) -> None:
    if unknown := sorted(named - set(known)):
        raise InvalidDataError(
            f"[tuning.head] {setting} names '{unknown[0]}'; the store has "
            f"{', '.join(known) or 'none'}"
        ).with_note("Build it first, or take it out; a trained embedding cannot be searched.")


def _of_families(recipes: Sequence[Recipe], families: Sequence[str]) -> list[str]:
    return [
        recipe.name
        for recipe in recipes
        if any(recipe.name == f or recipe.name.startswith(f"{f}.") for f in families)
    ]


def _always(recipes: Sequence[Recipe], study: Study) -> Iterator[str]:
    """Yield clinical variables, sizes and other tables, in the order of the ladder."""
    families = (*study.selection.radiomics, *study.selection.embeddings)
    searched = set(_of_families(recipes, families))
    rest = [recipe for recipe in recipes if recipe.name not in searched]
    first = {"clinical": 0, "size": 1}
    yield from (r.name for r in sorted(rest, key=lambda recipe: first.get(recipe.kind, 2)))


def _searched(space: HeadSpace) -> Iterator[str]:
    for names in space.radiomics or ():
        yield from names
    yield from (name for name in space.embeddings or () if name != NONE)


def _plan(
    study: Study, space: HeadSpace, material: tuple[Dataset, Split, Rung], inner: InnerFolds
) -> HeadPlan:
    dataset, split, default = material
    studies = {name: len(folds) for name, folds in inner.folds.items()}
    name = name_of(
        "head",
        {
            "data": dataset.digest,
            "split": split.hash,
            "studies": studies,
            "space": asdict(space),
            "head": asdict(study.head),
            "selection": asdict(study.selection),
            "seed": study.tuning.seed,
            "rungs": study.tuning.rungs,
        },
    )
    return HeadPlan(
        name=name,
        studies=studies,
        trials=study.tuning.trials,
        seed=study.tuning.seed,
        rungs=study.tuning.rungs,
        own=params_of(_own(study, space, default), space),
        space=space,
        base=study.head,
    )


def _own(study: Study, space: HeadSpace, default: Rung) -> HeadConfiguration:
    """Return the study's own settings, on everything that its ladder's last rung sees."""
    # In the order in which the space names them.
    radiomics = dict.fromkeys(name for names in space.radiomics or () for name in names)
    embeddings = set(space.embeddings or ())
    return HeadConfiguration(
        radiomics=tuple(name for name in radiomics if name in default.recipes),
        embedding=tuple(name for name in default.recipes if name in embeddings),
        correlation_limit=study.selection.correlation_limit,
        top=study.selection.top,
        components=study.selection.components,
        head=study.head,
    )
