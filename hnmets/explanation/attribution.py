"""What modalities and columns add to the log odds of one patient's risk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows
from hnmets.explanation.margin import margin, mean_of, require_one
from hnmets.explanation.shapley import MOST_EXACT, Game, exact_shapley, sampled_shapley
from hnmets.models.candidate import FittedCandidate
from hnmets.models.elastic_net import FittedElasticNet

_MOST_BACKGROUND = 100
_ORDERS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution:
    """Log odds of a risk, divided among names; base and values sum to them.

    Parameters
    ----------
    values
        float64, shape (names,): log odds that each adds, below 0 where it lowers the risk.
    standard_errors
        Of the same shape; 0 where the values are exact.
    base
        Log odds from which it starts: see the function that made it.
    log_odds
        Of the calibrated risk.
    """

    names: tuple[str, ...]
    modalities: tuple[str, ...]
    values: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    base: float
    log_odds: float

    @property
    def strongest(self) -> tuple[int, ...]:
        """Places of the names, the largest absolute value first."""
        return tuple(np.argsort(-np.abs(self.values), kind="stable").tolist())


def attribute_modalities(
    fitted: FittedCandidate, case: Rows, background: Rows, *, seed: int = 0
) -> Attribution:
    """Divide the log odds among modalities by Shapley values.

    Over all coalitions, and so exact, up to 10 modalities; else over random orders.

    A modality that is absent takes the columns of a training patient; the log odds are averaged
    over at most 100 of them, evenly spread, and their average with nothing present is the base.
    Modalities are exchanged independently of each other, so that a large volume may meet the
    texture of a small one.

    Parameters
    ----------
    case
        One row, with the columns that the rung was fitted on before it chose.
    background
        The training rows.
    seed
        Of the orders, where needed.

    Raises
    ------
    ValueError
        If there is not exactly one case.

    References
    ----------
    Lundberg and Lee 2017, arXiv 1705.07874; Janzing et al. 2020, arXiv 1910.13413 (why
    absent features are exchanged and not conditioned on).
    """
    require_one(case)
    seen, others = fitted.view.apply(case), _spread(fitted.view.apply(background))
    modalities = tuple(dict.fromkeys(seen.modalities))
    of_column = np.array([modalities.index(name) for name in seen.modalities])

    def game(coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.array([value(present[of_column]) for present in coalitions])

    def value(present: NDArray[np.bool_]) -> float:
        mixed = np.where(present, seen.values, others.values)
        rows = others.with_columns(others.columns, modalities=others.modalities, values=mixed)
        return float(margin(fitted.model, fitted.chain.apply(rows)).mean())

    nobody = np.zeros(len(seen.columns), dtype=np.bool_)
    values, errors = _shapley(game, len(modalities), np.random.default_rng(seed))
    return Attribution(
        names=modalities,
        modalities=modalities,
        values=values,
        standard_errors=errors,
        base=value(nobody),
        log_odds=value(~nobody),
    )


def attribute_columns(
    fitted: FittedCandidate,
    case: Rows,
    background: Rows,
    *,
    permutations: int = _ORDERS,
    seed: int = 0,
) -> Attribution:
    """Divide the log odds among the columns behind the rung's steps.

    The base are the log odds of a patient with the training mean in every column. Exact in a
    linear model: coefficient times deviation from the mean. Else Shapley values over random
    orders, in which a column that has not come yet is at its mean; they sum to the margin too,
    and each has a standard error.

    Parameters
    ----------
    case
        One row, with the columns that the rung was fitted on before it chose.
    background
        The training rows.
    permutations
        Random orders, where needed.

    Raises
    ------
    ValueError
        If there is not exactly one case.
    """
    require_one(case)
    seen = fitted.chain.apply(fitted.view.apply(case))
    mean = mean_of(fitted.chain.apply(fitted.view.apply(background)))
    found = _linear(fitted, seen, mean) or _sampled(
        fitted, seen, mean, permutations=permutations, rng=np.random.default_rng(seed)
    )
    values, errors = found
    base, full = _margins(fitted, seen, np.vstack([mean, seen.values[0]]))
    return Attribution(
        names=seen.columns,
        modalities=seen.modalities,
        values=values,
        standard_errors=errors,
        base=float(base),
        log_odds=float(full),
    )


def _shapley(
    game: Game, players: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if players <= MOST_EXACT:
        return exact_shapley(game, players), np.zeros(players)
    return sampled_shapley(game, players, permutations=_ORDERS, rng=rng)


def _linear(
    fitted: FittedCandidate, seen: Rows, mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return exact attributions and their errors of 0, None where the model is not linear."""
    model = fitted.model
    if not isinstance(model, FittedElasticNet):
        return None
    per_unit = model.calibration.slope * model.coefficients / model.scaling.spread
    return per_unit * (seen.values[0] - mean), np.zeros(len(mean))


def _sampled(
    fitted: FittedCandidate,
    seen: Rows,
    mean: NDArray[np.float64],
    *,
    permutations: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    def game(coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        return _margins(fitted, seen, np.where(coalitions, seen.values[0], mean))

    return sampled_shapley(game, len(mean), permutations=permutations, rng=rng)


def _margins(
    fitted: FittedCandidate, seen: Rows, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log odds of made-up patients, one per row of values."""
    patients = seen.among(np.zeros(len(values), dtype=np.intp))
    rows = patients.with_columns(seen.columns, modalities=seen.modalities, values=values)
    return margin(fitted.model, rows)


def _spread(rows: Rows) -> Rows:
    """Return at most 100 rows, evenly spread."""
    most = min(_MOST_BACKGROUND, len(rows.case_ids))
    return rows.among(np.linspace(0, len(rows.case_ids) - 1, most).round().astype(np.intp))
