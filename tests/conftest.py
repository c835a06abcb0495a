"""What all tests share."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.builders_cohorts import age, copy_of, write_cohort


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
