"""A version becomes champion through every gate, or with a reason that is recorded."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_store.atomic import write_atomic
from hnmets.datasets.suspicion import Suspicion
from hnmets.domain.errors import UsageError
from hnmets.evaluation.estimate import Estimate
from hnmets.registry.errors import TamperedPackageError
from hnmets.registry.gates import GateRules
from hnmets.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, package_in
from hnmets.reporting.audit import Control, Stability
from hnmets.reporting.findings import Findings
from hnmets.reporting.findings_json import to_json
from hnmets.reporting.rung import CalibrationNumbers, Contrast
from hnmets.reporting.subgroup import SubgroupRow
from hnmets.workflows import (
    models_compare,
    models_export,
    models_promote,
    models_register,
    models_rollback,
    models_verify,
)
from hnmets.workflows.kept_runs import find_run
from hnmets.workflows.model_versions import audit_log, model_registry
from hnmets.workflows.models_promote import Promotion
from hnmets.workflows.predict import open_version
from hnmets.workflows.report import findings_of
from hnmets.workflows.study import Study
from tests.builders_cohorts import hnmets
from tests.builders_models import Evaluated, copy_of, evaluated
from tests.builders_packages import flip_last_bit

RUNG = "all by logistic"
AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def registered(
    tmp_path_factory: pytest.TempPathFactory, tracking_template: Path
) -> Iterator[Evaluated]:
    """Version 1 on all features, version 2 on size alone; nobody is champion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("promoted") / "project"
        ladder = evaluated(folder, tracking_template)
        models_register.run(ladder.study)
        models_register.run(ladder.study, rung="size")
        yield ladder


@pytest.fixture
def study(registered: Evaluated, tmp_path: Path) -> Study:
    return copy_of(registered, tmp_path / "project")


def estimate(value: float, half: float = 0.02) -> Estimate:
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        n=90,
        events=23,
        level=0.95,
        method="by hand",
    )


def convincing(findings: Findings) -> Findings:
    """The findings of a model that has everything a large cohort could show."""
    rung = findings.rung(RUNG)
    assert isinstance(rung.versus_baseline, Contrast)
    assert isinstance(rung.calibration, CalibrationNumbers)
    better = replace(
        rung,
        versus_baseline=replace(rung.versus_baseline, delta=estimate(0.1)),
        calibration=replace(
            rung.calibration, slope=estimate(1.0), observed_expected=estimate(1.0)
        ),
    )
    control = Control(
        kind="negative control",
        name="shuffled",
        what="voxels",
        auc=estimate(0.5),
        lead=estimate(0.2),
        rung=RUNG,
    )
    group = SubgroupRow(variable="sex", group="male", n=45, events=12, auc=estimate(0.8))
    stability = Stability(
        perturbations=("grow-1mm",),
        patients=90,
        features=10,
        reproducible=9,
        rung=RUNG,
        risk_spread=0.01,
        risk_spread_worst=0.02,
    )
    return replace(
        findings,
        rungs=tuple(better if each.name == RUNG else each for each in findings.rungs),
        controls=(control,),
        subgroups=(group,),
        stability=stability,
        suspicions=(),
    )


def told(study: Study, findings: Findings) -> None:
    """Put findings in the place of the run's."""
    write_atomic(find_run(study.store_folder / "evaluations", None), to_json(findings).encode())


def promote(study: Study, asked: str, reason: str = "") -> Promotion:
    return models_promote.run(study, asked, reason=reason, now=lambda: AT)


def champion(study: Study) -> int | None:
    found = model_registry(study).called(CHAMPION)
    return None if found is None else found.number


def test_a_model_that_holds_every_gate_becomes_champion(study: Study) -> None:
    told(study, convincing(findings_of(study.store_folder)))
    found = promote(study, "1")
    assert found.table.failed == ()
    assert (found.promoted, found.exit_code, champion(study)) == (True, 0, 1)
    assert [gate.name for gate in found.table.gates] == [
        *("untouched", "replay", "champion", "baseline"),
        *("calibration slope", "observed / expected"),
        *("leakage", "subgroups", "controls", "stability", "lineage"),
    ]
    actions = [(e.action, e.version) for e in audit_log(study).entries()]
    assert actions[-2:] == [("promote", 1), ("promoted", 1)]


def test_a_small_cohort_is_refused_and_the_gates_say_what_it_cannot_show(study: Study) -> None:
    found = promote(study, "1")
    assert (found.promoted, found.exit_code, champion(study)) == (False, 6, None)
    assert {"controls", "stability"} <= set(found.table.failed)
    last = audit_log(study).entries()[-1]
    assert (last.action, last.failed) == ("refuse", found.table.failed)


def test_a_model_that_sees_no_voxel_has_no_texture_to_lose_but_contours_that_move(
    study: Study,
) -> None:
    gates = {gate.name: gate for gate in promote(study, "2").table.gates}
    assert (gates["controls"].passed, gates["controls"].met) == (True, "it sees no voxel")
    assert (gates["stability"].passed, gates["stability"].met) == (False, "not measured")


def test_a_reason_overrides_and_is_recorded_with_the_gates_that_did_not_hold(
    study: Study,
) -> None:
    found = promote(study, "1", reason="a demonstration in /home/jane/x")
    assert (found.promoted, champion(study)) == (True, 1)
    last = audit_log(study).entries()[-1]
    assert (last.action, last.failed) == ("promoted", found.table.failed)
    assert last.reason == "a demonstration in [path]"


def _worse(findings: Findings) -> Findings:
    rung = findings.rung(RUNG)
    assert rung.versus_baseline is not None
    contrast = replace(rung.versus_baseline, delta=estimate(-0.1))
    return _with(findings, versus_baseline=contrast)


def _uncalibrated(findings: Findings) -> Findings:
    numbers = findings.rung(RUNG).calibration
    assert isinstance(numbers, CalibrationNumbers)
    wrong = replace(numbers, slope=estimate(0.3), observed_expected=estimate(2.0))
    return _with(findings, calibration=wrong)


def _with(findings: Findings, **changes: object) -> Findings:
    rungs = tuple(
        replace(each, **changes) if each.name == RUNG else each  # type: ignore[arg-type]  # any field
        for each in findings.rungs
    )
    return replace(findings, rungs=rungs)


def _leaky(findings: Findings) -> Findings:
    flag = Suspicion(code="D_AUC", what="copied.x tells the outcome", next_step="Look at it.")
    return replace(findings, suspicions=(flag,))


def _uncontrolled(findings: Findings) -> Findings:
    lost = replace(findings.controls[0], lead=estimate(0.0))
    return replace(findings, controls=(lost,))


def _unfair(findings: Findings) -> Findings:
    low = replace(findings.subgroups[0], auc=estimate(0.4))
    return replace(findings, subgroups=(low,))


def _unstable(findings: Findings) -> Findings:
    assert findings.stability is not None
    return replace(findings, stability=replace(findings.stability, risk_spread=0.2))


@pytest.mark.parametrize(
    ("spoil", "gates"),
    [
        (_worse, {"baseline"}),
        (_uncalibrated, {"calibration slope", "observed / expected"}),
        (_leaky, {"leakage"}),
        (_uncontrolled, {"controls"}),
        (_unfair, {"subgroups"}),
        (_unstable, {"stability"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_gate_refuses_what_it_is_there_for(
    spoil: object, gates: set[str], study: Study
) -> None:
    assert callable(spoil)
    told(study, spoil(convincing(findings_of(study.store_folder))))
    found = promote(study, "1")
    assert set(found.table.failed) == gates
    assert (found.exit_code, champion(study)) == (6, None)


def test_a_champion_is_not_replaced_by_a_worse_model(study: Study) -> None:
    promote(study, "1", reason="first")
    found = promote(study, "2")
    assert "champion" in found.table.failed
    (gate,) = [gate for gate in found.table.gates if gate.name == "champion"]
    assert gate.met.startswith("version 1: -0.")
    assert champion(study) == 1


def test_a_tampered_weights_file_is_refused_whatever_the_reason(study: Study) -> None:
    registry = model_registry(study)
    folder = package_in(registry.fetch(registry.version("1"), study.folder))
    weights = folder / "members.safetensors"
    flip_last_bit(weights)
    found = promote(study, "1", reason="please")
    assert (found.table.failed, found.promoted) == (("untouched",), False)
    assert champion(study) is None
    with pytest.raises(TamperedPackageError, match=r"members\.safetensors"):
        open_version(study, "1")


def test_code_that_mlflow_would_run_is_part_of_what_was_registered(study: Study) -> None:
    registry = model_registry(study)
    code = registry.fetch(registry.version("1"), study.folder) / "served_model.py"
    code.write_text(code.read_text() + "import os\n")
    found = promote(study, "1", reason="please")
    assert found.table.unyielding == ("untouched",)
    with pytest.raises(TamperedPackageError, match="what MLflow runs of version 1"):
        models_verify.run(study, "1")


def test_a_refit_is_refused_since_nobody_measured_it(study: Study) -> None:
    refit = models_register.run(study, refit=True)
    found = promote(study, str(refit.version.number))
    assert "replay" in found.table.failed


def test_aliases_say_who_is_champion_who_was_and_who_is_next(study: Study) -> None:
    registry = model_registry(study)
    assert registry.called(CHALLENGER) == registry.version("2")
    promote(study, "1", reason="first")
    promote(study, "2", reason="second")
    assert registry.version("2").aliases == (CHAMPION,)
    assert registry.version("1").aliases == (PREVIOUS,)
    with pytest.raises(UsageError, match="version 2 is champion already"):
        promote(study, "champion")


def test_a_rollback_gives_the_alias_back_and_can_be_rolled_back(study: Study) -> None:
    with pytest.raises(UsageError, match="no champion before"):
        models_rollback.run(study)
    promote(study, "1", reason="first")
    promote(study, "2", reason="second")
    found = models_rollback.run(study, reason="drift", now=lambda: AT)
    assert (found.champion.number, champion(study)) == (1, 1)
    assert models_rollback.run(study).champion.number == 2
    entries = audit_log(study).entries()
    assert [(e.action, e.version, e.reason) for e in entries[-4:-2]] == [
        ("rollback", 1, "drift"),
        ("rolled back", 1, "drift"),
    ]


def test_a_version_that_is_untouched_is_verified_by_its_held_out_risks(study: Study) -> None:
    found = models_verify.run(study, "1")
    assert found.replay is not None
    assert found.replay <= 1e-12


def test_two_versions_are_compared_on_the_patients_of_both(study: Study) -> None:
    found = models_compare.run(study, "1", "2")
    assert isinstance(found.difference, Estimate)
    assert found.difference.value > 0
    first, second = found.measures["AUC, pooled out of fold"]
    assert isinstance(first, Estimate)
    assert isinstance(second, Estimate)
    assert first.value - second.value == pytest.approx(found.difference.value)
    json.dumps(found.as_json())


def test_a_version_is_not_compared_with_itself(study: Study) -> None:
    with pytest.raises(UsageError, match="'1' and '1' are the same: version 1") as caught:
        models_compare.run(study, "1", "1")
    assert "hnmets models list" in caught.value.__notes__[0]


def test_an_exported_model_is_a_folder_that_mlflow_can_load(study: Study, tmp_path: Path) -> None:
    out = models_export.run(study, "1", tmp_path / "out")
    assert (out / "MLmodel").exists()
    with pytest.raises(UsageError, match="exists"):
        models_export.run(study, "1", out)


def test_a_kill_between_the_gates_and_the_alias_leaves_the_old_champion(study: Study) -> None:
    promote(study, "1", reason="first")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from hnmets.registry.versions import ModelRegistry\n"
        "from hnmets.workflows import models_promote\n"
        "from hnmets.workflows.study import load_study\n"
        "plain = ModelRegistry.call\n"
        "def call(self, alias, version):\n"
        "    if alias == 'champion':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    plain(self, alias, version)\n"
        "ModelRegistry.call = call\n"
        "models_promote.run(load_study(Path(sys.argv[1])), '2', reason='second')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(study.folder / "study.toml")],
        check=False,
        env={k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"},
    )
    assert done.returncode == -signal.SIGKILL
    assert champion(study) == 1
    assert audit_log(study).entries()[-1].action == "promote"
    assert promote(study, "2", reason="again").promoted
    assert champion(study) == 2


def test_gates_that_nobody_could_pass_are_refused() -> None:
    for wrong in ({"slope": (1.2, 1.4)}, {"risk_spread": -1.0}, {"subgroup_auc": 1.0}):
        with pytest.raises(ValueError, match=r"around 1|not negative|between 0 and 1"):
            GateRules(**wrong)  # type: ignore[arg-type]  # any setting


@pytest.mark.slow
def test_the_commands_print_tables_documents_and_exit_codes(study: Study) -> None:
    file = study.folder / "study.toml"
    refused = hnmets("models", "promote", "1", "-s", file, "--json", MLFLOW_TRACKING_URI="")
    assert refused.returncode == 6, refused.stderr
    assert json.loads(refused.stdout)["promoted"] is False
    reason = ("--reason", "a demonstration")
    done = hnmets("models", "promote", "1", "-s", file, *reason, MLFLOW_TRACKING_URI="")
    assert done.returncode == 0, done.stderr
    assert "version 1 is champion" in done.stdout
    listed = hnmets("models", "list", "-s", file, "--json", MLFLOW_TRACKING_URI="")
    versions = json.loads(listed.stdout)["versions"]
    assert [(v["number"], v["aliases"]) for v in versions] == [
        (2, ["challenger"]),
        (1, ["champion"]),
    ]
    predicted = hnmets(
        "predict", "-s", file, "--cases", "HN-001,HN-002", "--json", MLFLOW_TRACKING_URI=""
    )
    assert predicted.returncode == 0, predicted.stderr
    assert len(json.loads(predicted.stdout)["predictions"]) == 2
