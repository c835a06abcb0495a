"""Where the files of a store lie, and the version of what is in them."""

from dataclasses import dataclass
from pathlib import Path

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class StoreFiles:
    """Names of everything in a store's folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """DuckDB file; can be made again from the shards."""
        return self.folder / "features.duckdb"

    @property
    def write_ahead_log(self) -> Path:
        """What DuckDB has committed but not yet moved into its file."""
        return self.folder / "features.duckdb.wal"

    @property
    def shards(self) -> Path:
        """Parquet files named by their hash: the truth."""
        return self.folder / "shards"

    @property
    def journal(self) -> Path:
        """In which order shards were committed, and when."""
        return self.folder / "commits.jsonl"

    @property
    def snapshots(self) -> Path:
        """What readers open: Arrow files and manifests."""
        return self.folder / "snapshots"

    @property
    def pointer(self) -> Path:
        """Names the newest manifest."""
        return self.snapshots / "CURRENT"

    @property
    def set_aside(self) -> Path:
        """Shards that were found damaged."""
        return self.folder / "set_aside"

    @property
    def lock(self) -> Path:
        """Held by the one writer."""
        return self.folder / "store.lock"

    @property
    def owner(self) -> Path:
        """Who holds the lock."""
        return self.folder / "owner.json"

    @property
    def progress(self) -> Path:
        """How far the running build is."""
        return self.folder / "progress.json"
