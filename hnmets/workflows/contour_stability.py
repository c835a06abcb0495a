"""Whether features and risks survive another contour or another scan of the same patient."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.fold_rows import FoldRows
from hnmets.evaluation.agreement import agreement
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.imaging.perturbations import Perturbation
from hnmets.models.candidate import FittedCandidate
from hnmets.reporting.audit import Stability
from hnmets.workflows.altered_rows import Altered
from hnmets.workflows.ladder import Rung

# "Good" by Koo and Li 2016, doi:10.1016/j.jcm.2016.02.012.
REPRODUCIBLE = 0.75
_OF_IMAGES = ("radiomics", "size", "embedding", "trained")
_WORST = 95


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """ICC(1,1) of every feature that was measured under perturbations.

    Parameters
    ----------
    features
        By column, over patients and contours, the real one among them.
    patients
        Those behind any of the numbers.
    """

    perturbations: tuple[str, ...]
    features: Mapping[str, Measured]
    patients: int

    @property
    def reproducible(self) -> int:
        """Features with an ICC of at least 0.75."""
        found = (each.value for each in self.features.values() if isinstance(each, Estimate))
        return sum(value >= REPRODUCIBLE for value in found)


def reliability(dataset: Dataset, altered: Sequence[Altered]) -> Reliability | None:
    """Compare every feature between the real contour and the perturbed ones.

    A recipe is judged by the perturbations under which it was measured, on the patients who
    have them all; of a patient's cases the first stands for the patient, as an ICC needs
    independent subjects. A feature that is absent somewhere loses that patient alone.

    Parameters
    ----------
    altered
        Of the store; controls among them are passed over.

    Returns
    -------
    Reliability or None
        None without perturbations.

    References
    ----------
    Zwanenburg et al. 2019, doi:10.1038/s41598-018-36938-4.
    """
    perturbed = _perturbed(altered)
    if not perturbed:
        return None
    features: dict[str, Measured] = {}
    patients: set[str] = set()
    for recipe in dataset.recipes:
        measured = [each for each in perturbed if recipe.name in each.recipes]
        if measured:
            versions = _versions(_only(dataset, recipe.name), measured, [recipe.name])
            features |= _iccs(versions)
            patients |= set(versions[0].rows.patient_ids)
    return Reliability(
        perturbations=tuple(each.name for each in perturbed),
        features=features,
        patients=len(patients),
    )


def _only(dataset: Dataset, recipe: str) -> Dataset:
    """Return the dataset with the columns of one recipe: versions of it are copies."""
    columns = np.flatnonzero(np.array(dataset.rows.modalities) == recipe)
    return replace(dataset, rows=dataset.rows.of_columns(columns))


def _iccs(versions: Sequence[Dataset]) -> dict[str, Measured]:
    """Measure the agreement of every column between versions of the same cases."""
    rows = versions[0].rows
    _, first = np.unique(rows.patient_ids, return_index=True)
    values = np.stack([each.rows.values[first] for each in versions], axis=1)
    return {name: _icc(values[:, :, column]) for column, name in enumerate(rows.columns)}


def _icc(values: NDArray[np.float64]) -> Measured:
    """Measure the agreement of one feature, shape (patients, contours)."""
    known = values[np.isfinite(values).all(axis=1)]
    if len(known) < 2:
        return NotEstimable(reason="needs two patients", n=len(known), events=None)
    return agreement(known).icc_1_1


@dataclass(kw_only=True)
class RiskSpread:
    """How far the risk of a held-out patient moves when the contour does.

    It listens to a cross-validation: the models of each fold score the perturbed rows of the
    patients whom they held out.

    Parameters
    ----------
    rung
        Name of the rung that is asked.
    place
        Of the rung on the ladder.
    versions
        The real rows and the perturbed ones, of the same cases in the same order.
    """

    rung: str
    place: int
    versions: tuple[Dataset, ...]
    _risks: dict[tuple[str, int], list[NDArray[np.float64]]] = field(default_factory=dict)

    def listen(self, fold: FoldRows, fitted: Sequence[FittedCandidate]) -> None:
        """Score all versions of the held-out patients."""
        rows = [FoldRows(dataset=each, fold=fold.fold).held_out for each in self.versions]
        if not rows[0].case_ids:
            return
        risks = np.column_stack([fitted[self.place].risk(each) for each in rows])
        for patient, line in zip(rows[0].patient_ids, risks, strict=True):
            self._risks.setdefault((patient, fold.fold.repeat), []).append(line)

    @property
    def by_patient(self) -> dict[str, float]:
        """Standard deviation of the risk over the contours, averaged over the repeats.

        Within a repeat the model is the same, so that nothing but the contour differs; the
        risks of a patient's cases are averaged first.
        """
        spreads: dict[str, list[float]] = {}
        for (patient, _), risks in sorted(self._risks.items()):
            spreads.setdefault(patient, []).append(float(np.std(np.mean(risks, axis=0), ddof=1)))
        return {patient: float(np.mean(each)) for patient, each in spreads.items()}


def risk_spread(
    dataset: Dataset, altered: Sequence[Altered], rungs: Sequence[Rung]
) -> RiskSpread | None:
    """Prepare to ask the last rung whose images were perturbed throughout.

    A rung with a feature of the image that was not perturbed too, such as an imported one,
    would look steadier than it is.

    Returns
    -------
    RiskSpread or None
        None where there is no such rung.
    """
    kinds = dataset.kinds
    perturbed = _perturbed(altered)
    for place, rung in reversed(list(enumerate(rungs))):
        names = [name for name in rung.recipes if kinds[name] in _OF_IMAGES]
        complete = [each for each in perturbed if each.recipes.keys() >= set(names)]
        versions = _versions(dataset, complete, names)
        if names and complete and versions[0].rows.case_ids:
            return RiskSpread(rung=rung.name, place=place, versions=versions)
    return None


def stability_of(found: Reliability | None, spread: RiskSpread | None) -> Stability | None:
    """Return both in the form in which they are reported; None without perturbations."""
    if found is None:
        return None
    spreads = list(spread.by_patient.values()) if spread else []
    return Stability(
        perturbations=found.perturbations,
        patients=found.patients,
        features=len(found.features),
        reproducible=found.reproducible,
        rung=spread.rung if spread and spreads else None,
        risk_spread=float(np.median(spreads)) if spreads else None,
        risk_spread_worst=float(np.percentile(spreads, _WORST)) if spreads else None,
    )


def _perturbed(altered: Sequence[Altered]) -> list[Altered]:
    return [each for each in altered if isinstance(each.alteration, Perturbation)]


def _versions(
    dataset: Dataset, perturbed: Sequence[Altered], names: Collection[str]
) -> tuple[Dataset, ...]:
    """Return the real rows and the perturbed ones, of the cases that have them all."""
    shown = [dataset, *(each.shown(dataset, names) for each in perturbed)]
    cases = frozenset.intersection(*(frozenset(each.rows.case_ids) for each in shown))
    return tuple(each.among(cases, reason="lacks a perturbation") for each in shown)
