"""What a report shows of one explained patient, as plain data."""

from dataclasses import dataclass

from hnmets.explanation.shares import Shares
from hnmets.reporting.attribution_figure import Bar
from hnmets.reporting.overlay import Plane


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Log odds of a risk, divided: base and bars sum to the whole.

    Parameters
    ----------
    base
        Log odds from which it starts.
    bars
        The largest first; the last one may be all that is left.
    log_odds
        Of the risk.
    """

    base: float
    bars: tuple[Bar, ...]
    log_odds: float


@dataclass(frozen=True, kw_only=True)
class MapShares:
    """Where a map has its weight.

    Parameters
    ----------
    method
        How the map was made.
    shares
        None for a map of nothing.
    """

    method: str
    shares: Shares | None


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """How much the network's log odds owe to a region.

    Parameters
    ----------
    look
        Log odds minus those with the region's CT hidden.
    look_and_contour
        The same with its contour hidden too; None for a region whose contour is not shown.
    """

    region: str
    look: float
    look_and_contour: float | None


@dataclass(frozen=True, kw_only=True)
class ExplainedImage:
    """What the network of a fold sees in a patient.

    Parameters
    ----------
    network
        What people call it.
    regions
        Those that the crop reaches.
    planes
        Drawings, cut to the regions.
    """

    network: str
    shares: tuple[MapShares, ...]
    regions: tuple[Hidden, ...]
    planes: tuple[Plane, ...]


@dataclass(frozen=True, kw_only=True)
class ExplainedCase:
    """One patient's risk, and what it stands on.

    Parameters
    ----------
    rung, fold
        The model, and the fold that holds the patient out.
    split_hash, dataset_digest
        Folds and features that it was fitted on.
    event
        Whether the event was seen.
    image
        What the network sees, or why that is not known.
    """

    case_id: str
    rung: str
    fold: str
    split_hash: str
    dataset_digest: str
    event: bool
    risk: float
    modalities: Divided
    columns: Divided
    image: ExplainedImage | str

    def belongs_to(self, *, rung: str, split_hash: str, dataset_digest: str) -> bool:
        """Tell whether a run fitted the same model on the same folds and features."""
        return (self.rung, self.split_hash, self.dataset_digest) == (
            rung,
            split_hash,
            dataset_digest,
        )
