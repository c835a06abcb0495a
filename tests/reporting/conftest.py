"""What the tests of the report share; simulating an evaluation takes seconds."""

import pytest

from hnmets.reporting.findings import Findings
from tests.builders_findings import findings, simulated


@pytest.fixture(scope="session")
def full() -> Findings:
    """An evaluation with every part filled."""
    return findings()


@pytest.fixture(scope="session")
def few() -> Findings:
    """Fifteen patients, five with the event."""
    return findings(simulated(15, events=5))
