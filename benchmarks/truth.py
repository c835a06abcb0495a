"""Does the ladder find what the generator hid, and nothing else? Four claims, each told apart.

A synthetic cohort of 3,000 cases at scale 0.4 (592 events with seed 31) is written, its store
filled, and its ladder climbed on five folds. The embedding's backbone is untrained, so the
spatial part of the truth stays unseen.

    python -m benchmarks.truth --folder FOLDER [--cases N] [--seed N] [--repeats N]
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.claims import claim, estimated, measure, scores_of, told
from hnmets.datasets.drawing import draw
from hnmets.datasets.fold_rows import folds_of
from hnmets.datasets.subjects import Subject
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.sources.synthetic.truth import Truth
from hnmets.workflows import ablate, cohort_synth, features_build, rung_scores
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.cross_validation import cross_validate
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import as_set
from hnmets.workflows.on_case import ignore
from hnmets.workflows.study import Study, load_study

CASES, SEED, SCALE, JOBS = 3000, 31, 0.4, 2
FUSED = "all, fused"
MARGIN = 0.05
CHANCE = (0.45, 0.55)


def main() -> int:
    """Make what is not there yet, and print each claim with its numbers; 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--repeats", type=int, default=1)
    asked = parser.parse_args()
    cohort = SyntheticCohort(cases=asked.cases, seed=asked.seed, scale=SCALE)
    if not cohort_synth.is_complete(asked.folder):
        cohort_synth.run(asked.folder, cohort, jobs=JOBS)
    flags = {"split.repeats": asked.repeats, "build.jobs": JOBS}
    study = load_study(asked.folder / "study.toml", flags=flags)
    features_build.run(study, Request())
    found = ablate.run(study)
    print(f"{len(found.dataset.rows.case_ids)} cases, {found.dataset.rows.outcome.sum()} events")
    for scores in found.scores:
        name = scores.out_of_fold.rung.name
        print(f"  {name:22} {told(scores.measures['auc'])}, oracle {found.oracles[name]:.3f}")
    permuted = permuted_auc(study, found)
    return 0 if all([reaches(study, found), no_leak(found), beats(found), chance(permuted)]) else 1


def reaches(study: Study, found: Ablation) -> bool:
    """Ask whether fusion comes near the oracle of all that an untrained backbone leaves."""
    truth = Truth.beside(study.root)
    wanted = truth.oracle_auc({"clinical", "radiomics"}) if truth else None
    auc = measure(found, FUSED, "auc")
    good = wanted is not None and auc.value >= wanted - MARGIN
    return claim(
        good,
        f"'{FUSED}' {told(auc)} comes within {MARGIN} of {wanted}, the oracle without spatial",
    )


def no_leak(found: Ablation) -> bool:
    """Ask whether a rung is better than the truth allows by more than its interval."""
    names = [scores.out_of_fold.rung.name for scores in found.scores]
    above = [name for name in names if measure(found, name, "auc").low > found.oracles[name]]
    return claim(not above, f"no rung exceeds its oracle: {', '.join(above) or 'none does'}")


def beats(found: Ablation) -> bool:
    """Ask whether fusion adds to clinical variables and size."""
    delta = measure(found, FUSED, "delta_auc")
    return claim(delta.low > 0, f"'{FUSED}' beats clinical + size: {told(delta)}")


def chance(auc: Estimate) -> bool:
    """Ask whether nothing is found where there is nothing."""
    low, high = CHANCE
    return claim(low <= auc.value <= high, f"permuted outcomes give {told(auc)}, {low} to {high}")


def permuted_auc(study: Study, found: Ablation) -> Estimate:
    """Return the AUC of the whole procedure, split included, on outcomes dealt out anew."""
    rows = found.dataset.rows
    outcome = np.random.default_rng(SEED).permutation(rows.outcome)
    dealt = replace(found.dataset, rows=replace(rows, outcome=outcome))
    told_anew = zip(rows.case_ids, rows.patient_ids, outcome.tolist(), strict=True)
    subjects = [Subject(case_id=c, patient_id=p, event=event) for c, p, event in told_anew]
    rungs = [scores_of(found, FUSED).out_of_fold.rung]
    folds = folds_of(dealt, draw(subjects, study.split))
    scored = cross_validate(
        folds,
        rungs,
        candidate_of=as_set(study.selection, study.head),
        seed=study.split.seed,
        on_fold=ignore,
    )
    (scores,) = rung_scores.scores_of(scored.rungs, family=(), bootstrap=Bootstrap())
    return estimated(scores.measures["auc"])


if __name__ == "__main__":
    sys.exit(main())
