"""The settings of a fusion head; choosing them loads no library."""

from dataclasses import dataclass
from typing import Literal

Fusion = Literal["concatenation", "gated", "attention"]
Loss = Literal["cross-entropy", "focal"]
Weighting = Literal["balanced", "none"]


@dataclass(frozen=True, kw_only=True)
class HeadParameters:
    """Architecture and training of a fusion head.

    Parameters
    ----------
    fusion
        `concatenation` puts the modalities side by side. `gated` adds them up, weighted for
        each patient by a softmax over the modalities. `attention` lets each modality look at
        the others before they are put side by side.
    projection
        Units that a modality is projected to: every modality where they are gated or attend to
        each other, only one with more columns where they are concatenated.
    hidden
        Units of the layers behind the fusion.
    dropout
        Share of units set to 0 behind each projection and each hidden layer while training, in
        steps of 1/256.
    loss, focal_gamma
        `focal` multiplies the cross-entropy of a patient by (1 − p)^gamma, p being the
        probability that the head gives to what happened.
    weighting
        `balanced`: both classes weigh the same in sum. The risks are then too high until they
        are calibrated.
    learning_rate, weight_decay
        Of AdamW; the rate falls with the epochs in half a cosine. Biases decay too.
    sparsity
        Strength of a group lasso on what each column sends into the first map that reads it; 0
        for none. About: how many standard errors from 0 the gradient of a column has to lie, or
        the column is shut out; so it need not change with the number of patients.
    batch_size
        Most patients per step; an epoch is divided into steps of nearly equal size.
    epochs, patience
        Most epochs, and how many the loss of the choosing rows may go without a new minimum.
        The weights of the minimum are kept.

    References
    ----------
    Arevalo et al. 2017, arXiv 1702.01992 (gated); Vaswani et al. 2017, arXiv 1706.03762
    (attention); Lin et al. 2017, doi:10.1109/ICCV.2017.324 (focal); Loshchilov and Hutter 2019,
    arXiv 1711.05101 (AdamW); Scardapane et al. 2017, doi:10.1016/j.neucom.2017.02.029 (sparsity).
    """

    fusion: Fusion = "concatenation"
    projection: int = 64
    hidden: tuple[int, ...] = (128, 32)
    dropout: float = 0.5
    loss: Loss = "cross-entropy"
    focal_gamma: float = 2.0
    weighting: Weighting = "balanced"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    # Of 0 to 3.5 the best on a synthetic cohort, or within the seeds of it, whether 240, 480 or
    # 960 patients are learned from: benchmarks/RESULTS.md
    sparsity: float = 2.0
    batch_size: int = 64
    epochs: int = 60
    patience: int = 10

    def __post_init__(self) -> None:
        """Check that the settings can train anything."""
        counts = (self.projection, self.batch_size, self.epochs, self.patience, *self.hidden)
        if min(counts) < 1:
            raise ValueError("units, batch_size, epochs and patience are at least 1")
        if not 0 <= self.dropout <= 0.9:
            raise ValueError(f"dropout {self.dropout} is not between 0 and 0.9")
        strengths = (self.weight_decay, self.sparsity, self.focal_gamma)
        if self.learning_rate <= 0 or min(strengths) < 0:
            raise ValueError("a learning_rate, weight_decay, sparsity or focal_gamma is too low")

    @property
    def gamma(self) -> float:
        """Exponent of the loss; cross-entropy is the focal loss of exponent 0."""
        return self.focal_gamma if self.loss == "focal" else 0.0
