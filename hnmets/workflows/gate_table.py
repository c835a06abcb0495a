"""Whether a version may become champion: every gate, with what was met and what would do."""

from collections.abc import Iterator
from dataclasses import dataclass

from hnmets.domain.errors import HnmetsError
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable, measured_text
from hnmets.registry.errors import TamperedPackageError
from hnmets.registry.gates import Gate, GateRules, GateTable, table_of
from hnmets.registry.versions import CHAMPION, Version
from hnmets.reporting.findings import Findings
from hnmets.reporting.rung import Rung
from hnmets.workflows.ladder import BASELINE
from hnmets.workflows.models_compare import paired_difference
from hnmets.workflows.models_verify import replay, require_registered_model
from hnmets.workflows.predict import OpenVersion, open_version
from hnmets.workflows.replaying import TOLERANCE
from hnmets.workflows.report import findings_of
from hnmets.workflows.study import Study


def gates_of(study: Study, version: Version) -> GateTable:
    """Try every gate; a damaged package is not asked any further.

    Raises
    ------
    UsageError
        If the version's run is no longer in the store.
    """
    try:
        opened = open_version(study, str(version.number))
        require_registered_model(opened)
    except TamperedPackageError as error:
        return table_of([_untouched(str(error), passed=False)])
    findings = findings_of(study.store_folder, version.run)
    tried = _Tried(study=study, opened=opened, findings=findings, rules=study.gates)
    return table_of(tried.gates())


def _untouched(met: str, *, passed: bool) -> Gate:
    return Gate(
        name="untouched",
        passed=passed,
        met=met,
        wanted="every file as it was registered",
        yields=False,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tried:
    """A version and the findings of its run."""

    study: Study
    opened: OpenVersion
    findings: Findings
    rules: GateRules

    @property
    def rung(self) -> Rung:
        return self.findings.rung(self.opened.version.rung)

    def gates(self) -> Iterator[Gate]:
        yield _untouched("every file is", passed=True)
        yield self._replay()
        yield self._champion()
        yield self._baseline()
        yield from self._calibration()
        yield self._leakage()
        yield self._subgroups()
        yield self._controls()
        yield self._stability()
        yield self._lineage()

    def _replay(self) -> Gate:
        wanted = f"differs from its evaluation by {TOLERANCE:.0e} at most"
        if self.opened.predictor.package.kind == "refit":
            return Gate(name="replay", passed=False, met="a refit: unmeasured", wanted=wanted)
        try:
            difference = replay(self.study, self.opened)
        except HnmetsError as error:
            return Gate(name="replay", passed=False, met=str(error), wanted=wanted)
        passed = difference <= TOLERANCE
        return Gate(name="replay", passed=passed, met=f"by {difference:.1e}", wanted=wanted)

    def _champion(self) -> Gate:
        wanted = f"AUC beyond the champion's: interval above {0 - self.rules.champion_margin:g}"
        champion = self.opened.registry.called(CHAMPION)
        if champion is None or champion.number == self.opened.version.number:
            return Gate(name="champion", passed=True, met="there is no other", wanted=wanted)
        try:
            found = paired_difference(self.study, self.opened.version, champion)
        except HnmetsError as error:
            return Gate(name="champion", passed=False, met=str(error), wanted=wanted)
        passed = isinstance(found, Estimate) and found.low > -self.rules.champion_margin
        met = f"version {champion.number}: {measured_text(found)}"
        return Gate(name="champion", passed=passed, met=met, wanted=wanted)

    def _baseline(self) -> Gate:
        lead = self.rules.baseline_lead
        wanted = f"AUC beyond {BASELINE}: interval above {lead:g}"
        if self.rung.name == BASELINE:
            return Gate(name="baseline", passed=True, met="it is the baseline", wanted=wanted)
        contrast = self.rung.versus_baseline
        if contrast is None:
            return Gate(name="baseline", passed=False, met="the run has none", wanted=wanted)
        passed = isinstance(contrast.delta, Estimate) and contrast.delta.low > lead
        return Gate(
            name="baseline", passed=passed, met=measured_text(contrast.delta), wanted=wanted
        )

    def _calibration(self) -> Iterator[Gate]:
        found = self.rung.calibration
        ranges = {
            "calibration slope": self.rules.slope,
            "observed / expected": self.rules.observed_expected,
        }
        for name, (low, high) in ranges.items():
            measured: Measured
            if isinstance(found, NotEstimable):
                measured = found
            else:
                measured = found.slope if name.endswith("slope") else found.observed_expected
            passed = isinstance(measured, Estimate) and low <= measured.value <= high
            yield Gate(
                name=name,
                passed=passed,
                met=measured_text(measured),
                wanted=f"{low:g} to {high:g}",
            )

    def _leakage(self) -> Gate:
        flags = [str(suspicion) for suspicion in self.findings.suspicions]
        flags += ["above the oracle"] if self.rung in self.findings.above_oracle else []
        met = "; ".join(flags) or "none"
        return Gate(name="leakage", passed=not flags, met=met, wanted="no open flag")

    def _subgroups(self) -> Gate:
        floor = self.rules.subgroup_auc
        wanted = f"no AUC below {floor:g}"
        name = "subgroups"
        if self.rung.name != self.findings.headline:
            met = f"the run looked at those of '{self.findings.headline}'"
            return Gate(name=name, passed=False, met=met, wanted=wanted)
        told = [row for row in self.findings.subgroups if row.auc is not None]
        below = [
            f"{row.variable} {row.group}: {row.auc.value:.2f}"
            for row in told
            if row.auc is not None and row.auc.value < floor
        ]
        if not told:
            return Gate(name=name, passed=False, met="none is large enough", wanted=wanted)
        met = "; ".join(below) or f"{len(told)} groups, none below"
        return Gate(name=name, passed=not below, met=met, wanted=wanted)

    def _controls(self) -> Gate:
        wanted = "better than every negative control and than size alone"
        own = [c for c in self.findings.controls if c.rung == self.rung.name]
        asked = [c for c in own if c.kind != "shortcut"]
        lost = [control.name for control in asked if not control.is_beaten]
        if self._sees_only("clinical", "size"):
            return Gate(name="controls", passed=True, met="it sees no voxel", wanted=wanted)
        if not asked:
            return Gate(name="controls", passed=False, met="none was run", wanted=wanted)
        met = f"not shown to be better than {', '.join(lost)}" if lost else f"{len(asked)} beaten"
        return Gate(name="controls", passed=not lost, met=met, wanted=wanted)

    def _stability(self) -> Gate:
        most, worst = self.rules.risk_spread, self.rules.risk_spread_worst
        wanted = f"risk spread under moved contours: median {most:g}, worst {worst:g} at most"
        found = self.findings.stability
        if self._sees_only("clinical"):
            return Gate(name="stability", passed=True, met="it sees no contour", wanted=wanted)
        if found is None or found.rung != self.rung.name or found.risk_spread is None:
            return Gate(name="stability", passed=False, met="not measured", wanted=wanted)
        spreads = found.risk_spread, found.risk_spread_worst or found.risk_spread
        met = f"median {spreads[0]:.3f}, worst {spreads[1]:.3f}"
        passed = spreads[0] <= most and spreads[1] <= worst
        return Gate(name="stability", passed=passed, met=met, wanted=wanted)

    def _sees_only(self, *kinds: str) -> bool:
        return {each.kind for each in self.opened.predictor.package.recipes} <= {*kinds, "cohort"}

    def _lineage(self) -> Gate:
        lineage = self.opened.predictor.package.lineage
        told = {
            "run": lineage.run == self.opened.version.run,
            "split": lineage.split_hash == self.findings.protocol.split_hash,
            "features": lineage.dataset_digest == self.findings.lineage.dataset_digest,
            "environment": bool(lineage.environment),
            "settings": bool(lineage.settings),
        }
        lacking = [name for name, whole in told.items() if not whole]
        met = f"lacks {', '.join(lacking)}" if lacking else "complete"
        return Gate(name="lineage", passed=not lacking, met=met, wanted="complete")
