"""Whether a package says of held-out patients what the evaluation said."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from feature_store.snapshot import Snapshot
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.registry.errors import ReplayError
from hnmets.registry.predictor import Predictor
from hnmets.workflows.input_table import stored_inputs
from hnmets.workflows.kept_risks import KeptRisks

# The same machine and libraries give the same bits; another order of summation gives 1e-16.
TOLERANCE = 1e-12


def largest_difference(
    predictor: Predictor, *, dataset: Dataset, split: Split, snapshot: Snapshot, kept: KeptRisks
) -> float:
    """Ask each member about the patients whom it has not learned from.

    The values go the way of every prediction: from the store as they would be told, through
    the package as it lies on disk.

    Returns
    -------
    float
        Largest absolute difference from the risks that were kept when the rung was evaluated.
    """
    said = _said(predictor, dataset, split, snapshot)
    rung = kept.rung(predictor.package.rung)
    repeats = sorted({repeat for repeat, _ in said})
    found = np.array([[np.mean(said[r, patient]) for patient in kept.patients] for r in repeats])
    return float(np.abs(found - np.array(rung.risk)).max())


def require_replayed(difference: float, *, rung: str) -> None:
    """Refuse a package that says something else.

    Raises
    ------
    ReplayError
        If a risk differs by more than 1e-12.
    """
    if difference > TOLERANCE:
        raise ReplayError(
            f"'{rung}' fitted again differs from its evaluation by {difference:.1e} in risk"
        ).with_note(
            "Evaluate and register with the same code, libraries and machine: what is "
            "registered is what was measured."
        )


def _said(
    predictor: Predictor, dataset: Dataset, split: Split, snapshot: Snapshot
) -> Mapping[tuple[int, str], list[float]]:
    """Return the risks of each repeat and patient, one per case."""
    folds = {fold.name: fold for fold in split.folds}
    rows = dataset.rows
    patient_of = dict(zip(rows.case_ids, rows.patient_ids, strict=True))
    said: dict[tuple[int, str], list[float]] = defaultdict(list)
    for place, member in enumerate(predictor.package.members):
        # The same rows at once as in the evaluation: a product of other shape has other digits.
        cases = [case for case in folds[member.name].held_out if case in patient_of]
        if not cases:
            continue
        inputs = predictor.inputs(stored_inputs(predictor.package, snapshot, cases))
        risks = predictor.risk_by(place, inputs.rows).tolist()
        for case, risk in zip(cases, risks, strict=True):
            said[member.repeat, patient_of[case]].append(risk)
    return said
