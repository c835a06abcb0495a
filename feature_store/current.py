"""Which rows count now, kept in memory: what is known, what is new, what it all hashes to."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Unit = tuple[str, str]
Key = tuple[str, str, int, str, str]


@dataclass
class Current:
    """Input digest of every (fingerprint, case), and content hash of every part."""

    digests: dict[Unit, str] = field(default_factory=dict)
    parts: dict[Unit, dict[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Iterable[Key]) -> "Current":
        """Apply rows in the order in which they were appended."""
        current = cls()
        for key in keys:
            current.apply(key)
        return current

    def has(self, key: Key) -> bool:
        """Tell whether this very row counts already."""
        fingerprint, case_id, part, input_digest, content_hash = key
        unit = (fingerprint, case_id)
        return (
            self.digests.get(unit) == input_digest and self.parts[unit].get(part) == content_hash
        )

    def apply(self, key: Key) -> None:
        """Let a row count; rows of the same case from another input stop counting."""
        fingerprint, case_id, part, input_digest, content_hash = key
        unit = (fingerprint, case_id)
        if self.digests.get(unit) != input_digest:
            self.digests[unit] = input_digest
            self.parts[unit] = {}
        self.parts[unit][part] = content_hash

    def rows(self) -> list[Key]:
        """Return the rows that count, sorted."""
        return sorted(
            (*unit, part, self.digests[unit], content_hash)
            for unit, parts in self.parts.items()
            for part, content_hash in parts.items()
        )

    def content_by_recipe(self) -> Mapping[str, str]:
        """Hash over the rows of each recipe, by fingerprint."""
        hashes: dict[str, hashlib._Hash] = {}
        for fingerprint, *key in self.rows():
            running = hashes.setdefault(fingerprint, hashlib.sha256(fingerprint.encode()))
            running.update(repr(key).encode())
        return {fingerprint: running.hexdigest() for fingerprint, running in hashes.items()}


def combined_hash(content_by_recipe: Mapping[str, str]) -> str:
    """Hash over all rows, independent of the order and the time of their commits."""
    lines = "\n".join(content_by_recipe[fingerprint] for fingerprint in sorted(content_by_recipe))
    return hashlib.sha256(lines.encode()).hexdigest()
