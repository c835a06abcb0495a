"""What all searches share: their folder, their outer folds, and how these are divided again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.errors import SplitImpossibleError
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.domain.errors import InvalidDataError
from hnmets.tuning.plan import EVERYBODY, Plan, part_file
from hnmets.workflows.study import Study

_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search that is prepared.

    Parameters
    ----------
    folder
        Of the search.
    dataset
        Everything that a configuration may see, or of backbones the cases that have a crop.
    split
        Folds that are searched for, and scored in the end.
    unsearched
        Why an outer fold is not searched for, by its name.
    """

    study: Study
    plan: Plan
    folder: Path
    dataset: Dataset
    split: Split
    unsearched: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class InnerFolds:
    """The training parts of the outer folds, and everybody, divided anew.

    Parameters
    ----------
    folds
        Those that can teach and be scored, by study.
    unsearched
        Why an outer fold has none, by its name.
    """

    folds: Mapping[str, tuple[FoldRows, ...]]
    unsearched: Mapping[str, str]

    def searched(self, split: Split) -> Split:
        """Return a split without the folds that are not searched for."""
        return replace(split, folds=tuple(f for f in split.folds if f.name in self.folds))


@dataclass(frozen=True, kw_only=True)
class Missing:
    """An inner fold whose file is not there yet.

    Parameters
    ----------
    never
        Cases that the outer fold holds out.
    """

    study: str
    file: Path
    fold: FoldRows
    never: tuple[str, ...]


def missing_parts(folder: Path, inner: InnerFolds, split: Split) -> Iterator[Missing]:
    """Yield the inner folds whose files an earlier call did not write."""
    held_out = {fold.name: fold.held_out for fold in split.folds}
    for study, folds in inner.folds.items():
        for number, fold in enumerate(folds):
            file = part_file(folder, study, number)
            if not file.exists():
                yield Missing(study=study, file=file, fold=fold, never=held_out.get(study, ()))


def name_of(target: str, deciding: Mapping[str, object]) -> str:
    """Return the name of a search: its target, and a digest of everything that decides it."""
    text = json.dumps(deciding, sort_keys=True)
    return f"{target}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


def opened_folder(study: Study, name: str, *, must_exist: bool) -> Path:
    """Return the folder of a search; it is made where it need not exist.

    Raises
    ------
    InvalidDataError
        If it must exist and does not.
    """
    folder = search_folder(study, name)
    if must_exist and not folder.exists():
        raise _no_such_search(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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


def inner_folds(study: Study, split: Split, dataset: Dataset, *, fewest: int) -> InnerFolds:
    """Divide the training part of each outer fold, and everybody, anew.

    Parameters
    ----------
    fewest
        Inner folds that a study needs.

    Raises
    ------
    InvalidDataError
        If not even one outer fold and everybody can be divided.
    """
    inner: dict[str, tuple[FoldRows, ...]] = {}
    unsearched: dict[str, str] = {}
    everybody = {subject.case_id for subject in split.subjects} - split.left_out.keys()
    studies = {fold.name: set(fold.training) for fold in split.folds if fold.repeat == 1}
    for stream, (name, cases) in enumerate({**studies, EVERYBODY: everybody}.items()):
        try:
            folds = _divided(study, split, dataset, cases, stream=stream)
        except SplitImpossibleError as error:
            unsearched[name] = str(error)
            continue
        usable = tuple(fold for fold in folds if not fold.why_not_estimable)
        if len(usable) < fewest:
            unsearched[name] = next(f.why_not_estimable for f in folds if f.why_not_estimable)
        else:
            inner[name] = usable
    if EVERYBODY in unsearched or len(inner) < 2:
        name, reason = next(iter(unsearched.items()))
        raise InvalidDataError(f"nothing can be searched for in {name}: {reason}").with_note(
            "Gather more patients of the rarer class, or lower [tuning] inner_folds."
        )
    return InnerFolds(folds=inner, unsearched=unsearched)


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
