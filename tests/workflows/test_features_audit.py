"""The fast engine is believed as far as PyRadiomics confirms it."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.domain.errors import UsageError
from hnmets.execution.local import InProcess
from hnmets.extractors.fast_radiomics import engine
from hnmets.workflows import features_audit, features_build
from hnmets.workflows.auditing import AuditFailedError, drawn
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.features_build import Request
from tests.builders_cohorts import hnmets, study_of

TUMOUR = {"radiomics__regions": ("tumour",), "radiomics__parameters__images": ("Original",)}
RADIOMICS = Request(only=("radiomics",))


def build(study: Path, percent: float, request: Request = RADIOMICS) -> BuildReport:
    settings = study_of(study, build__audit_percent=percent, **TUMOUR)
    return features_build.run(settings, request, executor=InProcess())


def published(study: Path) -> Snapshot:
    return read_snapshot(study_of(study).store_folder)


def shifted_edges(
    values: NDArray[np.generic], *, width: float, count: int | None
) -> NDArray[np.floating]:
    """Bins from the lowest voxel, as the IBSI has them and PyRadiomics has not."""
    return np.arange(float(values.min()), float(values.max()) + 2 * width, width)


def test_a_build_compares_one_region_at_least_and_remembers_what_it_found(cohort: Path) -> None:
    (verdict,) = build(cohort, percent=1.0).verdicts
    assert verdict.worst < 1e-9
    (row,) = published(cohort).frame("audit.radiomics.tumour").iter_rows(named=True)
    assert row["case_id"] == verdict.case_id
    assert row["worst_relative_difference"] == verdict.worst
    assert row["worst_feature"] == verdict.feature


def test_no_audit_is_a_choice(cohort: Path) -> None:
    assert build(cohort, percent=0.0).verdicts == ()


def test_three_regions_that_differ_end_the_build_and_keep_what_pyradiomics_said(
    cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "bin_edges", shifted_edges)
    with pytest.raises(AuditFailedError, match="3 regions differ from PyRadiomics") as caught:
        build(cohort, percent=100.0)
    assert 'engine = "pyradiomics"' in caught.value.__notes__[0]
    table = published(cohort)
    rows = [row for case in table.case_ids for row in table.case(case)]
    flagged = [row for row in rows if "measured_by_pyradiomics" in row.flags]
    assert len(flagged) == 3
    # The fourth case, with values that nobody compared, was never measured.
    assert len({row.case_id for row in rows}) == 3


def test_one_region_that_differs_falls_back_and_the_build_goes_on(
    cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(cohort, percent=0.0, request=Request(only=("radiomics",), cases=("SYN-0001",)))
    honest = published(cohort).matrix(["radiomics.tumour"]).values[0]
    monkeypatch.setattr(engine, "bin_edges", shifted_edges)
    request = Request(only=("radiomics",), cases=("SYN-0001",), force=True)
    report = build(cohort, percent=100.0, request=request)
    assert [verdict.is_true for verdict in report.verdicts] == [False]
    assert not report.failures
    stored = published(cohort).matrix(["radiomics.tumour"]).values[0]
    np.testing.assert_allclose(stored, honest, rtol=1e-9)


def test_an_audit_on_demand_goes_on_where_the_last_one_ended(cohort: Path) -> None:
    build(cohort, percent=0.0)
    study = study_of(cohort, **TUMOUR)
    before = published(cohort).matrix(["radiomics.tumour"]).values
    assert [str(c) for c in features_audit.coverage(study)] == [
        f"audit of {c.recipe}: 0 of 6 cases compared with PyRadiomics"
        for c in features_audit.coverage(study)
    ]
    for compared in (3, 5, 6):
        features_audit.run(study, percent=50.0)
        (coverage,) = features_audit.coverage(study)
        assert (coverage.compared, coverage.stored) == (compared, 6)
    assert features_audit.run(study, percent=50.0).verdicts == ()
    np.testing.assert_array_equal(published(cohort).matrix(["radiomics.tumour"]).values, before)


def test_the_lot_is_the_same_everywhere_and_never_empty() -> None:
    pairs = [(f"HN-{n}", "f") for n in range(200)]
    assert drawn(pairs, percent=5) == drawn(reversed(pairs), percent=5)
    assert len(drawn(pairs, percent=5)) == 10
    assert len(drawn(pairs, percent=0.01)) == 1
    assert drawn(pairs, percent=0) == drawn([], percent=50) == frozenset()
    assert drawn(pairs, percent=5) < drawn(pairs, percent=10)


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="an audit of 101 %"):
        drawn([], percent=101)


def test_verify_and_audit_tell_how_far_it_is(cohort: Path) -> None:
    build(cohort, percent=0.0)
    environment = {
        "HNMETS_STUDY": str(cohort),
        "HNMETS_RADIOMICS__REGIONS": '["tumour"]',
        "HNMETS_RADIOMICS__PARAMETERS__IMAGES": '["Original"]',
    }
    done = hnmets("features", "audit", "--cases", "SYN-0002", "--percent", "100", **environment)
    assert done.returncode == 0, done.stderr
    assert "audit: 1 regions measured by PyRadiomics too; worst in case SYN-0002" in done.stdout
    verified = hnmets("features", "verify", "--json", **environment)
    (told,) = json.loads(verified.stdout)["audit"]
    assert (told["compared"], told["stored"]) == (1, 6)
    assert told["worst"] < 1e-9
