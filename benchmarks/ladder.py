"""The full ladder, from rows to runs in MLflow: how long it takes, and where the time goes.

1,497 patients, 21 % with the event, 3124 radiomics columns of tumour and ring in families that
resemble each other, an embedding of 768, and 12 columns of clinic and size; a few of each tell
the outcome. Five folds, five times; MLflow writes into a database of its own. What `ablate` asks
beside the ladder (controls, shortcuts, subgroups, numbers by a horizon) is not timed.

    python -m benchmarks.ladder [--patients N] [--repeats N]
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from feature_store.recipe import Recipe
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.drawing import draw
from hnmets.datasets.fold_rows import folds_of
from hnmets.datasets.rows import Rows
from hnmets.datasets.split import Split
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.datasets.subjects import Subject
from hnmets.datasets.view import FeatureView
from hnmets.domain.case import Case
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.models import candidate
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.head_parameters import HeadParameters
from hnmets.selection.components import PrincipalComponents
from hnmets.selection.correlation import CorrelationFilter
from hnmets.selection.forest import ForestSelection
from hnmets.selection.reference import SelectionParameters
from hnmets.sources.outcomes import OutcomeRule
from hnmets.tracking.environment import capture
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.ablation_findings import Told
from hnmets.workflows.ablation_runs import Ladder, log_ladder
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.cross_validation import cross_validate
from hnmets.workflows.ladder import Choice, as_set, rungs_of
from hnmets.workflows.rung_scores import RungScores, scores_of

PATIENTS, REPEATS, PREVALENCE = 1497, 5, 0.21
# Kind, columns, and how many of them resemble each other.
SETS = {
    "clinical": ("clinical", 8, 1),
    "size.tumour": ("size", 4, 4),
    "radiomics.tumour": ("radiomics", 1562, 6),
    "radiomics.ring": ("radiomics", 1562, 6),
    "embedding.both": ("embedding", 768, 12),
}
FAMILY = ("radiomics", "embedding both", "all", "all, fused")
WANTED_TRACKING = 0.05
# What is timed: where a name is looked up, the name, and what people call it.
PARTS: tuple[tuple[Any, str, str], ...] = (  # classes and modules alike
    (CorrelationFilter, "fit", "correlation filter"),
    (ForestSelection, "fit", "random forest"),
    (PrincipalComponents, "fit", "components"),
    (ElasticNet, "fit", "elastic nets"),
    (candidate, "fit_stack", "fusion heads"),
)


def main() -> int:
    """Run the ladder and print minutes by part; 1 where MLflow takes too much of a full one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    asked = parser.parse_args()
    spent: Counter[str] = Counter()
    data = dataset(asked.patients)
    with timed_parts(spent), tempfile.TemporaryDirectory() as folder:
        cpu, wall = time.process_time(), time.perf_counter()
        climb(data, asked.repeats, Path(folder), spent)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    spent["everything else"] = wall - spent.total()
    rungs = len(rungs_of(data.recipes, Choice()))
    print(
        f"{asked.patients} patients × {len(data.rows.columns)} columns, {rungs} rungs, "
        f"5 × {asked.repeats} folds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"  {wall / 60:.1f} minutes, {cpu / 60:.1f} of a CPU")
    for name, seconds in spent.most_common():
        print(f"  {name:20} {seconds / 60:6.2f} min {seconds / wall:6.1%}")
    if (asked.patients, asked.repeats) != (PATIENTS, REPEATS):
        # Making the database alone takes seconds, whatever the size.
        print("MLflow's share is judged at full size alone")
        return 0
    return 0 if spent["MLflow"] <= WANTED_TRACKING * wall else 1


def climb(data: Dataset, repeats: int, folder: Path, spent: Counter[str]) -> None:
    """Split, fit, score and log, as `hnmets ablate` does."""
    rows, began = data.rows, datetime.now(UTC)
    known = zip(rows.case_ids, rows.patient_ids, rows.outcome.tolist(), strict=True)
    subjects = [Subject(case_id=case, patient_id=who, event=event) for case, who, event in known]
    split = draw(subjects, SplitParameters(repeats=repeats))
    found = cross_validate(
        folds_of(data, split),
        rungs_of(data.recipes, Choice()),
        candidate_of=as_set(SelectionParameters(), HeadParameters()),
        seed=0,
        on_fold=lambda name, done, of: print(f"{done}/{of} {name}", file=sys.stderr),
    )
    with timed(spent, "bootstrap and scores"):
        scores = scores_of(found.rungs, family=FAMILY, bootstrap=Bootstrap())
        findings = told(data, split, scores).findings
    with timed(spent, "MLflow"), open_tracker(folder) as tracker:
        ladder = Ladder(
            study="speed",
            settings={},
            dataset=data,
            split=split,
            scores=scores,
            findings=findings,
            environment=capture((), privacy=Privacy.of(folder)),
            began=began,
            ended=datetime.now(UTC),
        )
        log_ladder(tracker, ladder)
        tracker.close()


def told(data: Dataset, split: Split, scores: tuple[RungScores, ...]) -> Told:
    """Return what a report is made from, of a cohort that is nothing but its rows."""
    rows = data.rows
    pairs = zip(rows.case_ids, rows.patient_ids, strict=True)
    cases = tuple(Case(case_id=case, patient_id=who) for case, who in pairs)
    return Told(
        study="speed",
        outcome=OutcomeRule(event="event"),
        cohort=Cohort(cases=cases, rows_read=len(cases)),
        dataset=data,
        split=split,
        scores=scores,
        suspicions=(),
        family=tuple(FAMILY),
        bootstrap=Bootstrap(),
        at=datetime.now(UTC),
        environment={},
    )


def dataset(patients: int) -> Dataset:
    """Draw rows of the shape of a real cohort's."""
    rng = np.random.default_rng(0)
    outcome = rng.random(patients) < PREVALENCE
    blocks, columns, modalities, recipes = [], [], [], []
    for name, (kind, width, family) in SETS.items():
        leaders = rng.normal(size=(patients, -(-width // family)))
        leaders[:, :3] += 0.5 * outcome[:, np.newaxis]
        noise = rng.uniform(0.1, 1.0, size=width) * rng.normal(size=(patients, width))
        blocks.append(np.repeat(leaders, family, axis=1)[:, :width] + noise)
        own = tuple(f"c{number}" for number in range(width))
        columns += [f"{name}.{column}" for column in own]
        modalities += [name] * width
        recipes.append(Recipe(name=name, kind=kind, columns=own))
    ids = tuple(f"P{number:04d}" for number in range(patients))
    rows = Rows(
        case_ids=ids,
        patient_ids=ids,
        columns=tuple(columns),
        modalities=tuple(modalities),
        values=np.hstack(blocks),
        outcome=outcome,
    )
    return Dataset(
        view=FeatureView(name="ladder", recipes=tuple(SETS)),
        rows=rows,
        centres=(None,) * patients,
        time_days=np.full(patients, np.nan),
        died=np.full(patients, np.nan),
        recipes=tuple(recipes),
        left_out={},
        absent=(),
    )


@contextmanager
def timed(spent: Counter[str], name: str) -> Iterator[None]:
    """Add the seconds of the block to what is spent."""
    begin = time.perf_counter()
    yield
    spent[name] += time.perf_counter() - begin  # type: ignore[assignment]  # counts seconds


@contextmanager
def timed_parts(spent: Counter[str]) -> Iterator[None]:
    """Let every part note its seconds; the program is as before after the block."""
    before = [(place, name, getattr(place, name)) for place, name, _ in PARTS]
    for place, name, called in PARTS:
        setattr(place, name, noting(getattr(place, name), spent, called))
    yield
    for place, name, function in before:
        setattr(place, name, function)


def noting(work: Callable[..., Any], spent: Counter[str], name: str) -> Callable[..., Any]:
    """Return a function that does the same and notes its seconds; of any signature."""

    @wraps(work)
    def noted(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # those of the function
        with timed(spent, name):
            return work(*given, **named)

    return noted


if __name__ == "__main__":
    sys.exit(main())
