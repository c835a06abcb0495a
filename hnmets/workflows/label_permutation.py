"""What the whole procedure finds where nothing is: outcomes shuffled among the patients."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.evaluation.discrimination import auc_of
from hnmets.reporting.audit import Permutation
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.on_case import OnCase
from hnmets.workflows.procedure import Procedure


def label_permutation(
    procedure: Procedure,
    dataset: Dataset,
    rung: OutOfFold | None,
    *,
    permutations: int,
    seed: int,
) -> Permutation | None:
    """Repeat selection, fit and scoring of a rung on shuffled outcomes.

    Patients swap their outcomes together with their places in the folds: which of the places
    hold an event, of every held-out and inner part in every repeat, stays as it was drawn, so
    that no fold is easier or harder than for the real labelling. Folds by chance are drawn by
    outcome alone; where features say nothing of the outcome, every such swap is equally likely,
    and the p-value is exact. Folds by centre or by time go by what features may know too: there
    patients swap with those who are held out together with them.

    Parameters
    ----------
    rung
        As scored with the real labelling; None where every rung rests on a network that was
        trained on it.
    permutations
        Shuffles; the smallest p-value is 1 / (permutations + 1).

    Returns
    -------
    Permutation or None
        None where none is asked for, or the real labelling gives no AUC.

    References
    ----------
    Ojala and Garriga, JMLR 11:1833, 2010, test 1; Phipson and Smyth 2010,
    doi:10.2202/1544-6115.1585: the real labelling counts as one of the permutations.
    """
    real = auc_of(rung.predictions) if rung and permutations else None
    if rung is None or real is None:
        return None
    strata = _strata(procedure.split)
    found = []
    for number in range(permutations):
        shuffled = shuffled_among_patients(
            dataset, np.random.default_rng([seed, number]), strata=strata
        )
        told = replace(procedure, on_fold=_overall(procedure.on_fold, number, permutations))
        (scored,) = told.scored(shuffled, [rung.rung]).rungs
        found.append(auc_of(scored.predictions))
    # Places and outcomes are those of the real labelling: an AUC that it has, they all have.
    aucs = np.array(found, dtype=np.float64)
    return Permutation(
        rung=rung.rung.name,
        permutations=permutations,
        seed=seed,
        auc=real,
        mean_auc=float(aucs.mean()),
        p_value=float((1 + (aucs >= real).sum()) / (1 + permutations)),
    )


def shuffled_among_patients(
    dataset: Dataset, rng: np.random.Generator, *, strata: Mapping[str, str]
) -> Dataset:
    """Return a dataset in which every patient has the features of another one.

    Seen from the features, outcomes and places in the folds are shuffled. Patients swap with
    patients of as many cases, all cases at once: those of a patient go together.

    Parameters
    ----------
    strata
        By case, within what patients swap; cases that are not named are a stratum.
    """
    rows_of: dict[str, list[int]] = {}
    for row, patient in enumerate(dataset.rows.patient_ids):
        rows_of.setdefault(patient, []).append(row)
    alike: dict[tuple[str, int], list[list[int]]] = {}
    for rows in rows_of.values():
        stratum = strata.get(dataset.rows.case_ids[rows[0]], "")
        alike.setdefault((stratum, len(rows)), []).append(rows)
    source = np.arange(len(dataset.rows.case_ids))
    for _, blocks in sorted(alike.items()):
        source[np.array(blocks)] = rng.permutation(np.array(blocks))
    return replace(dataset, rows=replace(dataset.rows, values=dataset.rows.values[source]))


def _strata(split: Split) -> dict[str, str]:
    """Return the fold that holds each case out, where folds are not drawn by chance."""
    if split.parameters.kind == "k-fold":
        return {}
    return {case: fold.name for fold in split.folds for case in fold.held_out}


def _overall(on_fold: OnCase, number: int, permutations: int) -> OnCase:
    """Tell how many folds of all shuffles are done."""

    def told(_fold: str, done: int, total: int) -> None:
        on_fold(f"shuffle {number + 1}", number * total + done, permutations * total)

    return told
