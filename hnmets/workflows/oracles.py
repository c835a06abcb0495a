"""How good each rung could be at best: known of synthetic cohorts alone."""

from collections.abc import Sequence
from pathlib import Path

from hnmets.datasets.dataset import Dataset
from hnmets.sources.synthetic.truth import Truth
from hnmets.workflows.ladder import Rung


def oracles_of(rungs: Sequence[Rung], dataset: Dataset, data: Path) -> dict[str, float]:
    """Return the oracle AUC by name of the rung, of those that have one.

    Parameters
    ----------
    data
        Data folder of the study; without the truth of just these cases and this outcome in it,
        no rung has an oracle.
    """
    truth = Truth.beside(data)
    rows = dataset.rows
    if truth is None or not truth.speaks_of(
        dict(zip(rows.case_ids, rows.outcome.tolist(), strict=True))
    ):
        return {}
    kinds = dataset.kinds
    found = {rung.name: truth.oracle_auc({kinds[name] for name in rung.recipes}) for rung in rungs}
    return {name: auc for name, auc in found.items() if auc is not None}
