"""What all tests share."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from hnmets.extractors.fast_radiomics.warm_up import compile_all
from tests.builders_cohorts import age, copy_of, write_cohort


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Have the compiled loops on disk: no build of a test shall wait half a minute for them."""
    compile_all()


@pytest.fixture(scope="module")
def one_thread() -> Generator[None]:
    """Small networks on one thread: on a busy machine several only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of published data sets, or a skip with the reason."""
    folder = os.environ.get("HNMETS_REAL_DATA")
    if not folder:
        pytest.skip("HNMETS_REAL_DATA names no folder of real data")
    return Path(folder)


@pytest.fixture(scope="session")
def shared_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Study file of six small synthetic patients; whoever changes them takes a copy."""
    folder = tmp_path_factory.mktemp("shared") / "cohort"
    study = write_cohort(folder)
    age(folder)
    return study


@pytest.fixture
def cohort(shared_cohort: Path, tmp_path: Path) -> Path:
    """Study file of a copy of the cohort, with no store yet."""
    return copy_of(shared_cohort, tmp_path / "cohort")


@pytest.fixture(scope="session")
def tracking_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an empty MLflow database: its fifty tables take seconds to make."""
    from hnmets.tracking.mlflow_tracker import MlflowTracker
    from hnmets.tracking.place import Place
    from hnmets.tracking.privacy import Privacy
    from tests.builders_tracking import new_run

    project = tmp_path_factory.mktemp("tracking") / "project"
    tracker = MlflowTracker(Place(project=project), privacy=Privacy())
    tracker.start(new_run("template"))
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=Place(project=project).uri)
    (run,) = client.search_runs(["1"])
    client.delete_run(run.info.run_id)
    return project


@pytest.fixture
def empty_project(tracking_template: Path, tmp_path: Path) -> Path:
    """A project folder whose MLflow database has an experiment and no run."""
    return Path(shutil.copytree(tracking_template, tmp_path / "project"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where real data is at hand, a test that skips it has failed."""
    report = yield
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and item.get_closest_marker("real_data")
        and os.environ.get("HNMETS_REAL_DATA")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped although HNMETS_REAL_DATA is set: {report.longrepr}"
    return report
