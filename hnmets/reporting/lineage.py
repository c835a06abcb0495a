"""Where the numbers come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class RecipeUse:
    """A feature set that went in."""

    name: str
    kind: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """Where the numbers come from.

    Parameters
    ----------
    dataset_digest
        Of the rows that were scored.
    environment
        Versions, device and the like, by name; no paths.
    """

    recipes: tuple[RecipeUse, ...]
    dataset_digest: str
    code_version: str
    environment: Mapping[str, str] = field(default_factory=dict)
