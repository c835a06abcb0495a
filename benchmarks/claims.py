"""What benchmarks of a known truth share: numbers of a ladder, and claims with their verdict."""

from hnmets.evaluation.estimate import Estimate, Measured
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.rung_scores import RungScores


def scores_of(found: Ablation, rung: str) -> RungScores:
    """Return a rung."""
    (scores,) = (each for each in found.scores if each.out_of_fold.rung.name == rung)
    return scores


def measure(found: Ablation, rung: str, name: str) -> Estimate:
    """Return a number of a rung."""
    return estimated(scores_of(found, rung).measures[name])


def estimated(measured: Measured) -> Estimate:
    """Return the estimate; a cohort of a benchmark's size has one."""
    if not isinstance(measured, Estimate):
        raise TypeError(measured.reason)
    return measured


def told(measured: Measured) -> str:
    """Return a number with its interval."""
    found = estimated(measured)
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def claim(good: bool, words: str) -> bool:
    """Print a claim with its verdict, and return that."""
    print(f"{'PASS' if good else 'FAIL'}  claim: {words}", flush=True)
    return good
