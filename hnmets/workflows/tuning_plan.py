"""From a study to the folder of a search: which studies, which patients, which choices."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from feature_store.recipe import Recipe
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import SplitImpossibleError
from hnmets.datasets.fold import Fold
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.tuning.part import save_part
from hnmets.tuning.plan import EVERYBODY, HeadPlan, part_file
from hnmets.tuning.space import NONE, HeadSpace
from hnmets.tuning.tables import part_of
from hnmets.workflows.ablation_plan import Material, material_of, unsuspicious
from hnmets.workflows.ladder import BASELINE, Choice, Rung, rungs_of
from hnmets.workflows.study import Study

OnPart = Callable[[str, int, int], None]
_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search that is prepared.

    Parameters
    ----------
    folder
        Of the search.
    dataset
        Everything that a configuration may see.
    always
        Recipes that every configuration sees.
    outer
        Folds that are searched for, and scored in the end.
    unsearched
        Why an outer fold is not searched for, by its name.
    default
        The rung with everything, as the study sets it.
    baseline
        Clinical + size, where the store has them.
    """

    study: Study
    plan: HeadPlan
    folder: Path
    material: Material
    dataset: Dataset
    always: tuple[str, ...]
    outer: tuple[Fold, ...]
    unsearched: dict[str, str]
    default: Rung
    baseline: Rung | None

    @property
    def split(self) -> Split:
        """The study's split without the folds that are not searched for."""
        return replace(self.material.split, folds=self.outer)


def prepare(
    study: Study,
    *,
    on_part: OnPart = lambda _study, _done, _of: None,
    must_exist: bool = False,
) -> Search:
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
    inner, unsearched = _inner_folds(study, material.split, dataset)
    plan = _plan(study, space, dataset, material.split, inner)
    folder = search_folder(study, plan.name)
    if must_exist and not folder.exists():
        raise _no_such_search(folder)
    folder.mkdir(parents=True, exist_ok=True)
    missing = list(_missing(folder, inner, material.split))
    for done, each in enumerate(missing):
        on_part(f"choosing features for {each.study}", done, len(missing))
        part = part_of(
            each.fold, space, always=always, selection=study.selection, never=each.never
        )
        save_part(each.file, part)
    plan.write(folder)
    return Search(
        study=study,
        plan=plan,
        folder=folder,
        material=material,
        dataset=dataset,
        always=always,
        outer=tuple(fold for fold in material.split.folds if fold.name in inner),
        unsearched=unsearched,
        default=default,
        baseline=rungs.get(BASELINE),
    )


def _no_such_search(folder: Path) -> InvalidDataError:
    there = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
    return InvalidDataError(
        f"there is no search of these settings and data; there are {', '.join(there) or 'none'}"
    ).with_note(
        "A search is named by its settings, folds and features: take back what was changed since, "
        "or begin a new one without --resume."
    )


def search_folder(study: Study, name: str) -> Path:
    """Return the folder of a search."""
    return study.store_folder / "tuning" / name


def checked_space(space: HeadSpace, recipes: Sequence[Recipe], study: Study) -> HeadSpace:
    """Return the space with the store's radiomics and embeddings where it names none.

    Raises
    ------
    InvalidDataError
        If it names what the store lacks.
    """
    radiomics = _of_families(recipes, study.selection.radiomics)
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


def _inner_folds(
    study: Study, split: Split, dataset: Dataset
) -> tuple[dict[str, list[FoldRows]], dict[str, str]]:
    """Divide the training part of each outer fold, and everybody, anew."""
    inner: dict[str, list[FoldRows]] = {}
    unsearched: dict[str, str] = {}
    everybody = {subject.case_id for subject in split.subjects} - split.left_out.keys()
    studies = {fold.name: set(fold.training) for fold in split.folds if fold.repeat == 1}
    for stream, (name, cases) in enumerate({**studies, EVERYBODY: everybody}.items()):
        try:
            folds = _divided(study, split, dataset, cases, stream=stream)
        except SplitImpossibleError as error:
            unsearched[name] = str(error)
            continue
        usable = [fold for fold in folds if not fold.why_not_estimable]
        if len(usable) < 2:
            unsearched[name] = folds[0].why_not_estimable or "it has one usable inner fold"
        else:
            inner[name] = usable
    if EVERYBODY in unsearched or len(inner) < 2:
        name, reason = next(iter(unsearched.items()))
        raise InvalidDataError(f"nothing can be searched for in {name}: {reason}").with_note(
            "Gather more patients of the rarer class, or lower [tuning] inner_folds."
        )
    return inner, unsearched


def _divided(
    study: Study, split: Split, dataset: Dataset, cases: set[str], *, stream: int
) -> tuple[FoldRows, ...]:
    parameters = SplitParameters(
        folds=study.tuning.inner_folds,
        repeats=1,
        inner_folds=split.parameters.inner_folds,
        seed=study.tuning.seed + stream,
    )
    subjects = [subject for subject in split.subjects if subject.case_id in cases]
    own = dataset.among(cases, reason="held out by the outer fold")
    return folds_of(own, draw(subjects, parameters))


def _plan(
    study: Study,
    space: HeadSpace,
    dataset: Dataset,
    split: Split,
    inner: dict[str, list[FoldRows]],
) -> HeadPlan:
    studies = {name: len(folds) for name, folds in inner.items()}
    deciding = {
        "data": dataset.digest,
        "split": split.hash,
        "studies": studies,
        "space": space.as_json(),
        "head": asdict(study.head),
        "selection": asdict(study.selection),
        "seed": study.tuning.seed,
        "rungs": study.tuning.rungs,
    }
    digest = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
    return HeadPlan(
        name=f"head-{digest[:_DIGITS]}",
        studies=studies,
        trials=study.tuning.trials,
        seed=study.tuning.seed,
        rungs=study.tuning.rungs,
        space=space,
        base=study.head,
    )


@dataclass(frozen=True, kw_only=True)
class _Missing:
    """An inner fold whose tables are not there yet.

    Parameters
    ----------
    never
        Cases that the outer fold holds out.
    """

    study: str
    file: Path
    fold: FoldRows
    never: tuple[str, ...]


def _missing(folder: Path, inner: dict[str, list[FoldRows]], split: Split) -> Iterator[_Missing]:
    held_out = {fold.name: fold.held_out for fold in split.folds}
    for study, folds in inner.items():
        for number, fold in enumerate(folds):
            file = part_file(folder, study, number)
            if not file.exists():
                yield _Missing(study=study, file=file, fold=fold, never=held_out.get(study, ()))
