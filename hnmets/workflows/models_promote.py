"""`models promote`: a version becomes champion, if every gate holds or somebody says why not."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from hnmets.domain.errors import UsageError
from hnmets.registry.audit_log import Action, entry_of
from hnmets.registry.gates import GateTable
from hnmets.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, ModelRegistry, Version
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.gate_table import gates_of
from hnmets.workflows.looks import looks_of
from hnmets.workflows.model_versions import audit_log, model_registry
from hnmets.workflows.study import Study

REFUSED = 6


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What became of it.

    Parameters
    ----------
    before
        The champion until then; None where there was none.
    looks
        How often patients of elsewhere were looked at with it.
    reason
        Why gates that did not hold were overridden; empty where nothing was.
    """

    version: Version
    before: Version | None
    table: GateTable
    promoted: bool
    looks: int = 0
    reason: str = ""

    @property
    def exit_code(self) -> int:
        """0 where the version is champion, 6 where a gate refused it."""
        return 0 if self.promoted else REFUSED

    def as_json(self) -> dict[str, object]:
        """Return everything as a JSON object."""
        return {
            "version": self.version.number,
            "champion_before": self.before.number if self.before else None,
            "promoted": self.promoted,
            "looks_at_patients_of_elsewhere": self.looks,
            "reason": self.reason,
            "failed": list(self.table.failed),
            "gates": [asdict(gate) for gate in self.table.gates],
        }


def run(
    study: Study,
    asked: str,
    *,
    reason: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Promotion:
    """Try every gate, then move the aliases.

    The alias `champion` moves last and in one transaction: a kill at any moment leaves the old
    champion or the new one.

    Parameters
    ----------
    reason
        Overrides gates that do not hold; it is recorded. No reason overrides a damaged package.

    Raises
    ------
    UsageError
        If there is no such version, or it is champion already.
    """
    registry, log = model_registry(study), audit_log(study)
    version, before = registry.version(asked), registry.called(CHAMPION)
    if before is not None and before.number == version.number:
        raise UsageError(f"version {version.number} is champion already")
    table = gates_of(study, version)
    promoted = table.passed or bool(reason and not table.unyielding)
    told = "" if table.passed else Privacy.of(study.folder).text(reason)

    def record(action: Action) -> None:
        log.append(
            entry_of(
                action,
                model=registry.name,
                version=version.number,
                package=version.package,
                at=now(),
                failed=table.failed,
                reason=told,
            )
        )

    if promoted:
        record("promote")
        _move(registry, version, before, reason=told)
    record("promoted" if promoted else "refuse")
    return Promotion(
        version=version,
        before=before,
        table=table,
        promoted=promoted,
        looks=looks_of(study, version),
        reason=told,
    )


def _move(
    registry: ModelRegistry, version: Version, before: Version | None, *, reason: str
) -> None:
    if reason:
        registry.remark(version, "hnmets.override", reason)
    if before is not None:
        registry.call(PREVIOUS, before)
    registry.call(CHAMPION, version)
    challenger = registry.called(CHALLENGER)
    if challenger is not None and challenger.number == version.number:
        registry.call(CHALLENGER, None)
