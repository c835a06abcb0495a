"""Whether trained backbones see what radiomics do not, and fusion gains from it.

On each of some fresh synthetic cohorts (600 cases, outcome model B, scale 0.4) the features are
really extracted, a Swin Transformer and a small CNN are trained in five folds, everybody is
embedded by each of their networks, and all is scored in those folds. Then the outcomes of one
cohort are dealt out anew among its patients, and the whole is done again.

    python -m benchmarks.backbone_truth --folder FOLDER [--seeds 41 42 43] [--cases N]
"""

import argparse
import csv
import shutil
import sys
from pathlib import Path

import numpy as np

from benchmarks.claims import claim, estimated, measure, scores_of, told
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.comparison import paired_bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.networks.architecture import BackboneName
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import ablate_backbones, cohort_synth, features_build
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import WITHOUT
from hnmets.workflows.study import Study, load_study

CASES, SEEDS, SCALE, JOBS = 600, (41, 42, 43), 0.4, 2
# At this scale a crop of 32 voxels shows what one of 2 mm shows of a whole neck.
SPACING_MM = 1.0
BACKBONES: tuple[BackboneName, ...] = ("swin", "cnn")
FROZEN = {"swin": "embedding both", "cnn": "embedding cnn"}
GAIN = 0.02
OUTCOME_COLUMNS = ("distant_metastasis", "dm_time_days", "follow_up_days")


def main() -> int:
    """Make what is not there yet, and print each claim with its numbers; 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    asked = parser.parse_args()
    folders = [asked.folder / f"seed{seed}" for seed in asked.seeds]
    found = []
    for seed, folder in zip(asked.seeds, folders, strict=True):
        cohort = SyntheticCohort(cases=asked.cases, seed=seed, scale=SCALE)
        if not cohort_synth.is_complete(folder):
            cohort_synth.run(folder, cohort, jobs=JOBS)
        found.append(compared(folder))
        show(f"seed {seed}", found[-1])
    verdicts = [beats_frozen(found, name) for name in BACKBONES]
    verdicts += [fusion_gains(found, name) for name in BACKBONES]
    permuted = compared(dealt_anew(folders[0], asked.seeds[0]))
    show(f"seed {asked.seeds[0]}, outcomes dealt out anew", permuted)
    verdicts += [stays_at_chance(permuted, name) for name in BACKBONES]
    return 0 if all(verdicts) else 1


def compared(folder: Path) -> Ablation:
    """Build, train, embed and score."""
    study = study_of(folder)
    features_build.run(study, Request())
    return ablate_backbones.run(study, BACKBONES)


def study_of(folder: Path) -> Study:
    """Return the study of a folder, in one repeat of five folds and crops of this scale."""
    flags = {"split.repeats": 1, "build.jobs": JOBS, "embedding.spacing_mm": SPACING_MM}
    return load_study(folder / "study.toml", flags=flags, environ={})


def dealt_anew(folder: Path, seed: int) -> Path:
    """Return a copy of a cohort in which every patient has the outcome of another one."""
    copy = folder.with_name(f"{folder.name}-permuted")
    if not copy.exists():
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("mlruns", "mlflow.db*"))
        for trained in (copy / "store").glob("backbones"):
            shutil.rmtree(trained)
        for split in (copy / "store").glob("splits"):
            shutil.rmtree(split)
        with (copy / "cohort.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        order = np.random.default_rng(seed).permutation(len(rows))
        told = [{name: rows[place][name] for name in OUTCOME_COLUMNS} for place in order]
        with (copy / "cohort.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows({**row, **new} for row, new in zip(rows, told, strict=True))
    return copy


def show(what: str, found: Ablation) -> None:
    """Print every rung with its interval."""
    rows = found.dataset.rows
    print(f"{what}: {len(rows.case_ids)} cases, {rows.outcome.sum()} events", flush=True)
    for scores in found.scores:
        print(f"  {scores.out_of_fold.rung.name:40} {told(scores.measures['auc'])}", flush=True)


def beats_frozen(found: list[Ablation], name: BackboneName) -> bool:
    """Ask whether training helps a backbone, on every cohort."""
    leads = [lead(each, f"trained {name}", FROZEN[name]) for each in found]
    good = all(each.value > 0 for each in leads)
    return claim(good, f"trained {name} beats its frozen self by {', '.join(map(told, leads))}")


def fusion_gains(found: list[Ablation], name: BackboneName) -> bool:
    """Ask whether fusion gains from a trained embedding, on average and in most cohorts."""
    gains = [lead(each, f"{WITHOUT} + trained {name}", WITHOUT) for each in found]
    mean = float(np.mean([each.value for each in gains]))
    above = sum(each.low > 0 for each in gains)
    good = mean >= GAIN and above >= len(gains) * 2 / 3
    return claim(
        good,
        f"{name} adds {mean:.3f} on average, above zero in {above} of {len(gains)}: "
        f"{', '.join(map(told, gains))}",
    )


def stays_at_chance(found: Ablation, name: BackboneName) -> bool:
    """Ask whether nothing is found where there is nothing."""
    auc = measure(found, f"trained {name}", "auc")
    return claim(auc.low <= 0.5 <= auc.high, f"{name} on permuted outcomes: {told(auc)}")


def lead(found: Ablation, name: str, other: str) -> Estimate:
    """Return by how much one rung's AUC is above another's, in the same folds."""
    first, second = (scores_of(found, each).out_of_fold.predictions for each in (name, other))
    return estimated(paired_bootstrap(first, second, Bootstrap()))


if __name__ == "__main__":
    sys.exit(main())
