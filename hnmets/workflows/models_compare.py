"""`models compare`: two versions on the patients whom both were measured by."""

from collections.abc import Mapping
from dataclasses import dataclass

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.comparison import paired_bootstrap
from hnmets.evaluation.estimate import Measured, measured_json
from hnmets.registry.versions import Version
from hnmets.workflows.kept_risks import KeptRisks, risks_of
from hnmets.workflows.predict import OpenVersion, open_version
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two versions.

    Parameters
    ----------
    measures
        Figures of both cards, by name.
    difference
        AUC of the first minus that of the second, paired by patient.
    """

    title: str
    first: Version
    second: Version
    measures: Mapping[str, tuple[Measured, Measured]]
    difference: Measured

    def as_json(self) -> dict[str, object]:
        """Return the comparison as a JSON object."""
        measures = {name: [measured_json(m) for m in pair] for name, pair in self.measures.items()}
        return {
            "first": self.first.number,
            "second": self.second.number,
            "measures": measures,
            "difference": measured_json(self.difference),
        }


def run(study: Study, first: str, second: str) -> Compared:
    """Compare the members of two versions, out of fold.

    Raises
    ------
    UsageError
        If there is no such version, both are the same, or a run is no longer in the store.
    InvalidDataError
        If they were measured by other patients or folds: that cannot be paired.
    """
    one, other = open_version(study, first), open_version(study, second)
    if one.version.number == other.version.number:
        raise UsageError(
            f"'{first}' and '{second}' are the same: version {one.version.number}"
        ).with_note("Name two versions; `hnmets models list` has them all.")
    return Compared(
        title=f"{one.version.rung} and {other.version.rung}",
        first=one.version,
        second=other.version,
        measures=_measures(one, other),
        difference=paired_difference(study, one.version, other.version),
    )


def paired_difference(study: Study, first: Version, second: Version) -> Measured:
    """Return the AUC of one version's members minus that of another's.

    Raises
    ------
    InvalidDataError
        If they were measured by other patients or folds.
    """
    one, other = (risks_of(study.store_folder, each.run) for each in (first, second))
    _require_paired(one, other)
    bootstrap = Bootstrap(draws=study.evaluation.draws, seed=study.split.seed)
    pair = one.predictions(first.rung), other.predictions(second.rung)
    return paired_bootstrap(*pair, bootstrap)


def _require_paired(one: KeptRisks, other: KeptRisks) -> None:
    if (one.split_hash, one.patients) != (other.split_hash, other.patients):
        raise InvalidDataError(
            f"runs {one.run[:8]} and {other.run[:8]} are of other folds or patients"
        ).with_note("Evaluate both rungs in one run: `hnmets evaluate FIRST SECOND`.")


def _measures(one: OpenVersion, other: OpenVersion) -> dict[str, tuple[Measured, Measured]]:
    first, second = (
        {figure.name: figure.value for figure in each.predictor.opened.card.figures}
        for each in (one, other)
    )
    return {name: (first[name], second[name]) for name in first if name in second}
