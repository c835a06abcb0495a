"""Something about a store that a person should know."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem of the store's files.

    Parameters
    ----------
    code
        S_DATABASE, S_SHARD, S_SHARD_MISSING, S_ORPHAN, S_SET_ASIDE, S_ROW, S_JOURNAL,
        S_SNAPSHOT or S_BEHIND.
    what
        What was found, with the file or the case.
    next_step
        What to do about it.
    """

    code: str
    what: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.code}: {self.what}. {self.next_step}"
