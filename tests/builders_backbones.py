"""A small cohort with its crops, and networks trained on it in seconds."""

from pathlib import Path

from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.execution.local import InProcess
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import features_build, train_backbone
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.store_view import in_view
from hnmets.workflows.study import Study
from hnmets.workflows.train_backbone import Request, Training
from tests.builders_cohorts import study_of, write_cohort

TABLES_AND_CROPS = features_build.Request(
    only=("cohort", "clinical", "outcome", "size", "embedding")
)
CNN = Request(backbone="cnn")
FOLDS = ("repeat 1 fold 1", "repeat 1 fold 2")


def with_crops(folder: Path, *, cases: int = 24) -> Path:
    """Write a cohort with its store; return its study file."""
    file = write_cohort(folder, SyntheticCohort(cases=cases, seed=5, scale=0.25))
    build(settings(file))
    return file


def settings(file: Path, **flags: object) -> Study:
    """Load its study with few folds and epochs."""
    quick = {"split__folds": 2, "split__repeats": 2, "split__inner_folds": 2}
    return study_of(file, **quick, backbone__epochs=2, build__jobs=1, **flags)


def build(study: Study) -> Snapshot:
    """Bring tables, crops and embeddings up to date; return what the study sees of them."""
    features_build.run(study, TABLES_AND_CROPS, executor=InProcess())
    return in_view(read_cohort(study), read_snapshot(study.store_folder))


def train(
    study: Study, request: Request = CNN, tracker: InMemoryTracker | None = None
) -> Training:
    """Train a backbone in the folds of the first repeat."""
    return train_backbone.run(study, request, tracker=tracker or InMemoryTracker())
