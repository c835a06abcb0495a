"""The settings of a backbone's training; choosing them loads no library."""

from dataclasses import dataclass
from typing import Literal, get_args

from hnmets.domain.variant import Variant
from hnmets.models.backbone.batches import FEWEST
from hnmets.models.head_parameters import Weighting

Augmentation = Literal["flip-x", "flip-y", "flip-z", "turn-180", "transpose", "shift", "noise"]
TrainingPrecision = Literal["auto", "single", "bfloat16"]

SAFE_AUGMENTATIONS: tuple[Augmentation, ...] = (
    "flip-z",
    "turn-180",
    "transpose",
    "shift",
    "noise",
)


@dataclass(frozen=True, kw_only=True)
class BackboneParameters:
    """Training of a backbone with one logit on top.

    Parameters
    ----------
    epochs, patience
        Most epochs, and how many the loss of the inner part may go without a new minimum. The
        weights of the minimum are kept.
    learning_rate, weight_decay
        Of AdamW, for all weights.
    warm_up
        Share of all steps over which the rate rises; over the rest it falls in half a cosine.
    batch_size
        Most cases per step; an epoch is divided into steps of nearly equal size. Where memory
        does not suffice, a step passes them through the network in parts.
    clip
        Longest gradient; a longer one is shortened to it.
    dropout
        Share of the embedding that training drops.
    average_decay
        Of the exponential moving average of the weights, which is what is stopped by and kept;
        0 keeps the weights of the last step.
    augment
        What each crop goes through at random: `flip-x`, `flip-y`, `flip-z`, `turn-180` in the
        axial plane, `transpose` of x and y, each with a chance of one half; `shift` by up to
        one voxel along each axis; `noise` on the CT, of 0.02 of its window. A single flip, and
        a transpose, swap left and right or front and back: leave out what the outcome may tell
        apart.
    variant
        What the network learns from and sees: `both`, `tumour` or `ring`, as in `Embedding`.
    weighting
        `balanced`: both classes weigh the same in sum.
    frozen_tables
        Leave the position tables of a Swin at what they were initialised with: 1.7 times as
        fast on a GPU. Other backbones have none.
    precision
        `auto` runs in bfloat16 on a GPU, in float32 on a CPU.
    compiled
        Have torch compile the network: worth its minute on a GPU.
    seed
        Of the order of the cases, augmentation and dropout.

    References
    ----------
    Loshchilov and Hutter 2017, arXiv 1608.03983 (cosine); 2019, arXiv 1711.05101 (AdamW);
    Polyak and Juditsky 1992, doi:10.1137/0330046 (averaged weights).
    """

    epochs: int = 16
    patience: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.25
    batch_size: int = 16
    clip: float = 1.0
    dropout: float = 0.1
    average_decay: float = 0.0
    augment: tuple[Augmentation, ...] = SAFE_AUGMENTATIONS
    variant: Variant = "both"
    weighting: Weighting = "none"
    frozen_tables: bool = False
    precision: TrainingPrecision = "auto"
    compiled: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that the settings can train anything."""
        if min(self.epochs, self.patience) < 1:
            raise ValueError("epochs and patience are at least 1")
        if self.batch_size < FEWEST:
            raise ValueError(f"batch_size is {self.batch_size}, must be at least {FEWEST}")
        for name in ("warm_up", "dropout", "average_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, must lie from 0 to below 1")
        # Written so that NaN is refused.
        if not (self.learning_rate > 0 and self.clip > 0 and self.weight_decay >= 0):
            raise ValueError("learning_rate and clip are above 0, weight_decay is not negative")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}, must not be negative")
        self._require_known_augmentations()

    def _require_known_augmentations(self) -> None:
        known = get_args(Augmentation)
        for name in self.augment:
            if name not in known:
                raise ValueError(f"no augmentation '{name}'; there are {', '.join(known)}")
        if len(set(self.augment)) < len(self.augment):
            raise ValueError(f"an augmentation is named twice: {', '.join(self.augment)}")
