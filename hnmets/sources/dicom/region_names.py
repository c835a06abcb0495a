"""Names to roles: by rule, and where the rules do not decide, by nobody."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hnmets.sources.dicom.region_rules import RegionRules, RoleRule
from hnmets.sources.dicom.vocabulary import words_of

# DICOM allows 64 characters; patterns of a rule file shall not brood over a book.
_LONGEST_NAME = 128


class Verdict(StrEnum):
    """What the rules make of a name."""

    ROLE = "role"
    IGNORED = "ignored"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "no rule"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One name, and what the rules make of it.

    Parameters
    ----------
    name
        As the structure set has it.
    roles
        The one role; several where the rules do not decide.
    by
        The exact name or the pattern that decided, from the rule file.
    """

    name: str
    verdict: Verdict
    roles: tuple[str, ...] = ()
    by: str = ""

    @property
    def role(self) -> str | None:
        """The role that the name has, if it has exactly one."""
        return self.roles[0] if self.verdict is Verdict.ROLE else None


def read_name(name: str, rules: RegionRules) -> Reading:
    """Return what the rules make of a name.

    Exact names count most, then `ignore`, then patterns; two roles of one rank are ambiguous.
    """
    words = words_of(name[:_LONGEST_NAME])
    exact = [(role, text) for role, rule in rules.roles.items() if (text := _exact(rule, words))]
    if exact:
        return _decided(name, exact)
    if ignored := _fitting(rules.ignore, words):
        return Reading(name=name, verdict=Verdict.IGNORED, by=ignored)
    fits = [
        (role, pattern)
        for role, rule in rules.roles.items()
        if (pattern := _fitting(rule.patterns, words))
    ]
    if fits:
        return _decided(name, fits)
    return Reading(name=name, verdict=Verdict.UNKNOWN)


def _decided(name: str, found: list[tuple[str, str]]) -> Reading:
    roles = tuple(role for role, _ in found)
    verdict = Verdict.ROLE if len(roles) == 1 else Verdict.AMBIGUOUS
    return Reading(name=name, verdict=verdict, roles=roles, by=found[0][1])


def _exact(rule: RoleRule, words: str) -> str:
    return next((text for text in rule.exact if words and words_of(text) == words), "")


def _fitting(patterns: Iterable[str], words: str) -> str:
    return next((pattern for pattern in patterns if re.fullmatch(pattern, words)), "")
