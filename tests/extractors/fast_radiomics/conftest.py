"""Real CTs that are not part of the repository."""

import subprocess
from pathlib import Path

import pytest

from tests.extractors.fast_radiomics.real_cases import CannotDownloadError, download_lungs


@pytest.fixture(scope="session")
def lungs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of lung1 and lung2 from PyRadiomics' source distribution, or a skip."""
    try:
        return download_lungs(tmp_path_factory.mktemp("pyradiomics"))
    except (CannotDownloadError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"the package registry does not give PyRadiomics' lung CTs: {error}")
