"""The demo: one command from an empty folder to a ladder that a terminal can show."""

import re
from pathlib import Path

import pytest

from hnmets.reporting.findings_json import from_json
from tests.builders_cohorts import hnmets

INTERVAL = r"-?\d\.\d\d \(-?\d\.\d\d to -?\d\.\d\d\)"


@pytest.mark.slow
def test_the_demo_ends_with_a_ladder_beside_its_oracle(tmp_path: Path) -> None:
    quick = {"HNMETS_BACKBONE__EPOCHS": "2", "HNMETS_SELECTION__TREES": "20", "COLUMNS": "100"}
    asked = ("demo", "--out", tmp_path / "demo", "--cases", "40", "--jobs", "2")
    done = hnmets(*asked, **quick, MLFLOW_TRACKING_URI="")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    steps = [line for line in lines if re.match(r"\d+/12  hnmets ", line)]
    assert [step.split()[2] for step in steps] == [
        "cohort",
        "cohort",
        "features",
        "features",
        "train",
        "features",
        "ablate",
        "report",
        *("models", "models", "models", "predict"),
    ]
    for name, oracle in (("size", "0.65"), ("clinical + size", "0.71"), ("all, fused", "0.88")):
        row = rf"│ {re.escape(name)} +│ {INTERVAL} │ {oracle} +│"
        assert any(re.match(row, line) for line in lines), name
    assert any(line.startswith("7 of 40 patients with the event: too few") for line in lines)
    assert max(len(line) for line in lines if line.startswith(("│", "┏"))) <= 100
    (kept,) = (tmp_path / "demo" / "store" / "evaluations").glob("*.json")
    told = from_json(kept.read_text())
    assert told.rung("clinical + radiomics").oracle_auc == 0.7894
    assert told.above_oracle == ()
    assert "oracle" in (tmp_path / "demo" / "report.html").read_text()
    # Forty patients prove nothing: the gates say so, and the reason stands beside them.
    assert any("version 1 is not promoted: " in line for line in lines)
    assert any(line.startswith("version 1 is champion") for line in lines)
    assert any("a demonstration on synthetic patients" in line for line in lines)
    assert any(line.startswith("│ SYN-0001") for line in lines)
    assert "hnmets serve --study" in done.stderr
