"""A rung of a ladder: which modalities, which steps, which model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import ChoosingRows, Rows, TrainRows
from hnmets.models.base import FittedModel, Model
from hnmets.models.errors import NoColumnsError
from hnmets.models.fusion import Fusion, FusionJob, fit_stack
from hnmets.models.recalibration import Recalibration
from hnmets.selection.chain import Chain, FittedChain
from hnmets.selection.kept import KeptColumns
from hnmets.selection.scope import in_scope


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Everything between a fold's rows and its risks.

    Parameters
    ----------
    name
        What people call it: `clinical + size`.
    modalities
        Modalities, families or single columns that it sees; all by default.
    chain
        Steps before the model, fitted on the training rows.
    """

    name: str
    modalities: tuple[str, ...] = ()
    chain: Chain
    model: Model

    def fit(self, rows: TrainRows, choosing: ChoosingRows, *, seed: int) -> "FittedCandidate":
        """Fit the steps on the training rows, the model on what they make; see `Model.fit`.

        Raises
        ------
        NoColumnsError
            If the rows have no column of the modalities, or the steps keep none.
        """
        job = CandidateJob(candidate=self, rows=rows, choosing=choosing, seed=seed)
        (fitted,) = fit_all([job])
        return fitted


@dataclass(frozen=True, kw_only=True)
class FittedCandidate:
    """A candidate that has learned.

    Parameters
    ----------
    view
        Columns that it sees.
    """

    name: str
    view: KeptColumns
    chain: FittedChain
    model: FittedModel

    @property
    def calibration(self) -> Recalibration:
        """See `FittedModel.calibration`."""
        return self.model.calibration

    def risk(self, rows: Rows) -> NDArray[np.float64]:
        """Return the risk of the event; see `FittedModel.risk`."""
        return self.model.risk(self.chain.apply(self.view.apply(rows)))


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateJob:
    """A candidate to be fitted on the rows of a fold."""

    candidate: Candidate
    rows: TrainRows
    choosing: ChoosingRows
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prepared:
    """What the steps made of the rows of a job."""

    view: KeptColumns
    chain: FittedChain
    rows: TrainRows
    choosing: ChoosingRows


def fit_all(jobs: Sequence[CandidateJob], *, device: str = "cpu") -> list[FittedCandidate]:
    """Fit candidates of all folds: equal steps on the same rows once, all heads as one stack.

    Parameters
    ----------
    device
        Of the fusion heads.

    Returns
    -------
    list of FittedCandidate
        In the order of the jobs, each as `Candidate.fit` gives it.

    Raises
    ------
    NoColumnsError, UntrainableError, TrainingDivergedError
        See `Candidate.fit`.
    """
    made: dict[tuple[Chain, tuple[str, ...], int, int], _Prepared] = {}
    for job in jobs:
        key = _key(job)
        if key not in made:
            made[key] = _prepared(job)
    prepared = [made[_key(job)] for job in jobs]
    models = _models(jobs, prepared, device)
    return [
        FittedCandidate(name=job.candidate.name, view=given.view, chain=given.chain, model=model)
        for job, given, model in zip(jobs, prepared, models, strict=True)
    ]


def _key(job: CandidateJob) -> tuple[Chain, tuple[str, ...], int, int]:
    return job.candidate.chain, job.candidate.modalities, id(job.rows), id(job.choosing)


def _prepared(job: CandidateJob) -> _Prepared:
    candidate = job.candidate
    places = in_scope(job.rows, candidate.modalities)
    if not len(places):
        seen = ", ".join(dict.fromkeys(job.rows.modalities)) or "none"
        raise NoColumnsError(
            f"'{candidate.name}' sees {', '.join(candidate.modalities) or 'all'}; "
            f"the view has: {seen}"
        )
    view = KeptColumns(columns=job.rows.columns, places=places)
    rows = view.apply(job.rows)
    chain = candidate.chain.fit(rows)
    left = chain.apply(rows)
    if not left.columns:
        raise NoColumnsError(
            f"'{candidate.name}': of {len(rows.columns)} columns none tells its "
            f"{len(rows.outcome)} training cases apart"
        ).with_note("Look at the values by `hnmets features show`, or leave the rung out.")
    return _Prepared(
        view=view,
        chain=chain,
        rows=left,
        choosing=chain.apply(view.apply(job.choosing)),
    )


def _models(
    jobs: Sequence[CandidateJob], prepared: Sequence[_Prepared], device: str
) -> list[FittedModel]:
    models: dict[int, FittedModel] = {}
    heads: dict[int, FusionJob] = {}
    for place, (job, given) in enumerate(zip(jobs, prepared, strict=True)):
        model = job.candidate.model
        if isinstance(model, Fusion):
            heads[place] = FusionJob(
                rows=given.rows,
                choosing=given.choosing,
                parameters=model.parameters,
                seed=job.seed,
            )
        else:
            models[place] = model.fit(given.rows, given.choosing, seed=job.seed)
    models |= dict(zip(heads, fit_stack(list(heads.values()), device=device), strict=True))
    return [models[place] for place in range(len(jobs))]
