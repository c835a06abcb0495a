"""`models rollback`: the champion before is champion again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from hnmets.domain.errors import UsageError
from hnmets.registry.audit_log import Action, entry_of
from hnmets.registry.versions import CHAMPION, PREVIOUS, Version
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.model_versions import audit_log, model_registry
from hnmets.workflows.models_verify import require_registered_model
from hnmets.workflows.predict import open_version
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """Who is champion now, and who was."""

    champion: Version
    before: Version | None

    def as_json(self) -> dict[str, object]:
        """Return both as a JSON object."""
        return {
            "champion": self.champion.number,
            "champion_before": self.before.number if self.before else None,
        }


def run(
    study: Study,
    *,
    reason: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> RolledBack:
    """Give the alias `champion` back; the version that had it is `previous` then.

    Raises
    ------
    UsageError
        If there was no champion before.
    TamperedPackageError
        If its package is not as it was registered.
    """
    registry, log = model_registry(study), audit_log(study)
    version, before = registry.called(PREVIOUS), registry.called(CHAMPION)
    if version is None:
        raise UsageError("there was no champion before").with_note(
            "`hnmets models list` shows the versions."
        )
    require_registered_model(open_version(study, str(version.number)))

    def record(action: Action) -> None:
        log.append(
            entry_of(
                action,
                model=registry.name,
                version=version.number,
                package=version.package,
                at=now(),
                reason=Privacy.of(study.folder).text(reason),
            )
        )

    record("rollback")
    registry.call(CHAMPION, version)
    registry.call(PREVIOUS, before)
    record("rolled back")
    return RolledBack(champion=version, before=before)
