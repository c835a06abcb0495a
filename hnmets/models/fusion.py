"""The fusion head as a model; many of them are fitted as one stack."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hnmets.datasets.rows import ChoosingRows, Rows, TrainRows
from hnmets.models.base import require_trainable
from hnmets.models.errors import TrainingDivergedError
from hnmets.models.fitted_fusion import FittedFusion, blocks_of, head_inputs
from hnmets.models.head_member import HeadRows, Member, Trained
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.head_scores import log_odds
from hnmets.models.recalibration import Recalibration, recalibration
from hnmets.selection.base import require_columns
from hnmets.selection.scaling import FittedScaling, Scaling


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """Projections of the modalities, their fusion, and a small network behind it.

    Columns are scaled by the training rows, which changes nothing where a chain has done it.
    Training stops and calibrates by the choosing rows.
    """

    parameters: HeadParameters = field(default_factory=HeadParameters)

    def fit(self, rows: TrainRows, choosing: ChoosingRows, *, seed: int) -> FittedFusion:
        """Train a stack of one; see `Model.fit`.

        Raises
        ------
        TrainingDivergedError
            If a loss was not finite.
        """
        job = FusionJob(rows=rows, choosing=choosing, parameters=self.parameters, seed=seed)
        (fitted,) = fit_stack([job])
        return fitted


@dataclass(frozen=True, kw_only=True, eq=False)
class FusionJob:
    """A fusion head to be fitted; jobs that are given the same rows share their memory."""

    rows: TrainRows
    choosing: ChoosingRows
    parameters: HeadParameters
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prepared:
    """Scaled rows as the heads take them, the modalities side by side."""

    scaling: FittedScaling
    modalities: tuple[str, ...]
    places: tuple[int, ...]
    widths: tuple[int, ...]
    fitting: HeadRows
    choosing: HeadRows


def fit_stack(jobs: Sequence[FusionJob], *, device: str = "cpu") -> list[FittedFusion]:
    """Fit many heads at once.

    Returns
    -------
    list of FittedFusion
        In the order of the jobs.

    Raises
    ------
    TrainingDivergedError
        If a loss of one of them was not finite.
    UntrainableError, AbsentValuesError
        See `Model.fit`.
    """
    # Torch takes seconds and 200 MB to load: who asks other models does without.
    from hnmets.models.stack import train

    prepared: dict[tuple[int, int], _Prepared] = {}
    for job in jobs:
        key = id(job.rows), id(job.choosing)
        if key not in prepared:
            prepared[key] = _prepared(job.rows, job.choosing)
    inputs = [prepared[id(job.rows), id(job.choosing)] for job in jobs]
    members = [_member(job, given) for job, given in zip(jobs, inputs, strict=True)]
    trained = train(members, device=device)
    return [_fitted(*parts) for parts in zip(jobs, inputs, trained, strict=True)]


def _prepared(rows: TrainRows, choosing: ChoosingRows) -> _Prepared:
    require_trainable("fusion head", rows, choosing)
    require_columns("fusion head", rows.columns, choosing)
    scaling = Scaling().fit(rows)
    modalities, places, widths = blocks_of(rows.modalities)

    def side_by_side(given: Rows) -> HeadRows:
        return HeadRows(inputs=head_inputs(given, scaling, places), outcome=given.outcome)

    return _Prepared(
        scaling=scaling,
        modalities=modalities,
        places=places,
        widths=widths,
        fitting=side_by_side(rows),
        choosing=side_by_side(choosing),
    )


def _member(job: FusionJob, given: _Prepared) -> Member:
    return Member(
        fitting=given.fitting,
        choosing=given.choosing,
        widths=given.widths,
        parameters=job.parameters,
        seed=job.seed,
    )


def _fitted(job: FusionJob, given: _Prepared, trained: Trained) -> FittedFusion:
    if trained.diverged:
        raise TrainingDivergedError(
            f"fusion head of {', '.join(given.modalities)} with seed {job.seed}",
            epoch=len(trained.losses),
            learning_rate=job.parameters.learning_rate,
        )
    scores = log_odds(trained.weights, given.choosing.inputs, _member(job, given).layout)
    calibration: Recalibration = recalibration(scores, given.choosing.outcome)
    return FittedFusion(
        scaling=given.scaling,
        modalities=given.modalities,
        places=given.places,
        widths=given.widths,
        parameters=job.parameters,
        seed=job.seed,
        weights=trained.weights,
        losses=tuple(trained.losses.tolist()),
        calibration=calibration,
    )
