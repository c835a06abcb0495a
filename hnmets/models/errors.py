"""Why a model cannot be fitted, or a fitted one not be read."""

from pathlib import Path

from hnmets.domain.errors import HnmetsError, InvalidDataError


class UntrainableError(InvalidDataError):
    """The rows cannot teach a model anything."""


class NoColumnsError(InvalidDataError):
    """A candidate has no column to see: none of its modalities, or none that its steps keep."""


class TrainingDivergedError(HnmetsError):
    """A loss was infinite or not a number."""

    def __init__(self, head: str, *, epoch: int, learning_rate: float) -> None:
        super().__init__(
            f"{head}: the loss was not finite in epoch {epoch} at learning rate {learning_rate:g}"
        )
        self.add_note("Lower the learning rate.")


class TrainingMemoryError(HnmetsError):
    """Not even the smallest batch fits into memory."""

    def __init__(self, cases: int, edge: int) -> None:
        super().__init__(
            f"backbone: {cases} crops of {edge} voxels an edge do not fit into memory at once"
        )
        self.add_note("Take a smaller preset or backbone, or free the device.")


class CandidateFileError(InvalidDataError):
    """The files of fitted candidates cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"fitted model {path.name}: {reason}")
        self.add_note("Copy both of its files again, or fit it again.")
