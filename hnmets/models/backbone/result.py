"""What a training gives: the classifier, and how it got there."""

from dataclasses import dataclass
from typing import Literal

from hnmets.networks.classifier import Classifier

Ending = Literal["all epochs run", "inner loss no longer falls"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the cases to learn from.

    Parameters
    ----------
    train_loss
        Mean over the steps, with dropout and augmentation, of weights that still moved.
    inner_loss, inner_auc
        Of the inner part, by the averaged weights; the AUC is None for a part of one class.
    learning_rate
        Of the last step.
    seconds
        With the scoring of the inner part.
    crops_per_second
        Learnt from, without it.
    """

    train_loss: float
    inner_loss: float
    inner_auc: float | None
    learning_rate: float
    seconds: float
    crops_per_second: float


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedBackbone:
    """A classifier after training.

    Parameters
    ----------
    classifier
        With the weights of the chosen epoch, in evaluation mode, on the device that trained.
    epochs
        All that were run, those before a resumption too.
    ending
        Why there are no more.
    at_once
        Most cases that went through the network together: fewer than the batch size if memory
        did not suffice.
    resumed_after
        Epochs that a checkpoint gave; 0 if none did.
    """

    classifier: Classifier
    epochs: tuple[Epoch, ...]
    ending: Ending
    at_once: int
    resumed_after: int

    @property
    def chosen(self) -> int:
        """Epoch whose weights these are, counted from 1: that of the lowest inner loss."""
        return best_of(self.epochs) + 1


def best_of(epochs: tuple[Epoch, ...]) -> int:
    """Return the place of the epoch with the lowest inner loss, the first of several."""
    return min(range(len(epochs)), key=lambda place: epochs[place].inner_loss)
