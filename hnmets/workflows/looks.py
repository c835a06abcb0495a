"""Looks at patients of elsewhere: each is recorded before it is taken; the first is the test."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hnmets.registry.audit_log import Entry, entry_of
from hnmets.registry.errors import LockedTestError
from hnmets.registry.versions import Version
from hnmets.workflows.model_versions import audit_log
from hnmets.workflows.predict import OpenVersion
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Patients:
    """Whom a look is at.

    They are known again by themselves, and by their study's name: a table with one outcome
    corrected is no new test.

    Parameters
    ----------
    study
        Name of their study.
    digest
        Of their cases and outcomes.
    """

    study: str
    digest: str

    @classmethod
    def of(cls, other: Study, event: Mapping[str, bool]) -> "Patients":
        """Return the cases of a study whose outcome is known."""
        return cls(study=other.about.name, digest=_digest(event))

    def were_in(self, entry: Entry) -> bool:
        """Tell whether an entry of the audit trail is a look at them."""
        return entry.action == "look" and (entry.what == self.digest or entry.study == self.study)


def record_look(  # noqa: PLR0913 - what an entry tells, all named
    of: Study,
    opened: OpenVersion,
    patients: Patients,
    *,
    reason: str,
    equal_ids: str,
    at: datetime,
) -> int:
    """Record the look; return how many there were, this one included.

    Parameters
    ----------
    reason
        Why it is taken again.
    equal_ids
        Why patients with the ids of training patients are other people.

    Raises
    ------
    LockedTestError
        If it is not the first, and nobody says why.
    """
    log = audit_log(of)
    before = [entry for entry in log.entries() if patients.were_in(entry)]
    if before and not reason:
        first, count = before[0], len(before)
        often = "once" if count == 1 else f"{count} times, first"
        raise LockedTestError(
            f"patients of '{patients.study}' were looked at {often} on "
            f"{first.at[:10]} with version {first.version}"
        ).with_note(
            "What is chosen after a look is not tested by it: --again REASON. Patients of another "
            "study have a study file with another name."
        )
    log.append(
        entry_of(
            "look",
            model=opened.registry.name,
            version=opened.version.number,
            package=opened.version.package,
            at=at,
            reason="; ".join(filter(None, [reason, equal_ids and f"equal ids: {equal_ids}"])),
            what=patients.digest,
            study=patients.study,
        )
    )
    return len(before) + 1


def looks_of(study: Study, version: Version) -> int:
    """Return how often patients of elsewhere were looked at with a version."""
    entries = audit_log(study).entries()
    return sum(e.action == "look" and e.package == version.package for e in entries)


def _digest(event: Mapping[str, bool]) -> str:
    return hashlib.sha256(repr(sorted(event.items())).encode()).hexdigest()
