"""What can go wrong with a store, and what a person can do about it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar


class StoreError(Exception):
    """A problem of the feature store; ends in one line, not in a traceback."""

    exit_code: ClassVar[int] = 1

    def __reduce__(self) -> tuple[Callable[..., "StoreError"], tuple[object, ...]]:
        # Subclasses make their message of other arguments; workers send errors to their parent.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[StoreError], args: tuple[object, ...], state: Mapping[str, object]
) -> StoreError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class StoreLockedError(StoreError):
    """Another process writes to the store."""

    exit_code = 5

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(f"the store {folder} is being written by {holder}")
        self.add_note("Wait until it has finished, or stop that process; nothing to delete.")


class StoreFullError(StoreError):
    """The disk (or a quota, or a file size limit) has no room for the next write."""

    def __init__(self, folder: Path, *, needed_bytes: int) -> None:
        super().__init__(f"no room in {folder}: the next write needs about {needed_bytes} bytes")
        self.needed_bytes = needed_bytes
        self.add_note("Free some space and run the same command again; it goes on from here.")


class NothingToExportError(StoreError):
    """There is no row to export."""

    def __init__(self) -> None:
        super().__init__("the store has no row of these cases and recipes")
        self.add_note("Run `hnmets features build` first.")


class StoreCorruptError(StoreError):
    """A file of the store cannot be what was once written there."""

    exit_code = 3

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged: {reason}")
        self.add_note("Run `hnmets features rebuild`: it makes the database from the shards.")


class StoreVersionError(StoreError):
    """The store was written by a newer version of this code, or of DuckDB."""

    def __init__(self, path: Path, *, found: int, known: int) -> None:
        super().__init__(f"{path} has version {found}; this code knows up to {known}")
        self.add_note("Update hnmets; nothing was changed.")


class InvalidRecipeError(StoreError):
    """A recipe cannot be stored under the names it has."""

    exit_code = 3


class InvalidRowError(StoreError):
    """A row does not fit its recipe."""

    exit_code = 3


class NothingPublishedError(StoreError):
    """The store has no snapshot yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the store {folder} has no published features")
        self.add_note("Run `hnmets features build` first.")


class UnknownRecipeError(StoreError):
    """A feature set was asked for that nobody has written."""

    exit_code = 2

    def __init__(self, asked: str, known: Collection[str]) -> None:
        holds = ", ".join(sorted(known)) or "nothing yet"
        super().__init__(f"the store has no rows for {asked}; it holds: {holds}")
        if near := get_close_matches(asked, sorted(known), n=1, cutoff=0.4):
            self.add_note(f"Closest is {near[0]}; the part after @ changes with every setting.")


class AmbiguousRecipeError(StoreError):
    """A name was asked for under which several recipes have rows."""

    exit_code = 2

    def __init__(self, asked: str, candidates: Sequence[str]) -> None:
        super().__init__(f"{asked} could be any of: {', '.join(candidates)}")
        self.add_note("Name one of them; `hnmets features diff` shows how they differ.")


class MixedRecipesError(StoreError):
    """Two recipes of one name were to meet in one matrix."""

    exit_code = 2

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(f"{' and '.join(labels)} are one feature set made in different ways")
        self.add_note("Keep one of them: their values cannot be compared.")


class SeveralPartsError(StoreError):
    """A recipe with several rows per case was to become one row per case."""

    exit_code = 2

    def __init__(self, label: str, case_id: str, n_parts: int) -> None:
        super().__init__(f"{label} has {n_parts} rows for case {case_id}, one per part")
        self.add_note("Choose `union` or `largest` for the parts of this region.")
