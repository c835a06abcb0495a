"""What earlier scans of the same export left, so that nothing is done twice."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from feature_store.atomic import sweep, write_atomic
from hnmets.domain.case import Failure
from hnmets.domain.errors import UsageError
from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.sources.dicom.scanned import Scan, ScannedPatient
from hnmets.workflows.scan_patient import files_of

# Raised where the same files would give other results.
FORMAT = 1
_FOLDER, _LOCK, _WHOLE, _PATIENTS = ".scan", "lock", "scan.json", "patients"
_SCAN = TypeAdapter(Scan)
_END = TypeAdapter(ScannedPatient | Failure)

Outcome = ScannedPatient | Failure


class OutputLockedError(UsageError):
    """Another scan writes into the folder."""

    exit_code = 5


class ScanState:
    """The memory of an output folder."""

    def __init__(self, out: Path, pseudonyms: Pseudonyms) -> None:
        self._out = out
        self._folder = out / _FOLDER
        self._key = pseudonyms.check

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only scan that writes into the folder.

        Raises
        ------
        UsageError
            If another scan is at it, or the folder was made with another key.
        """
        (self._folder / _PATIENTS).mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise OutputLockedError(f"another scan writes into {self._out}").with_note(
                "Wait until it has finished; nothing to delete."
            ) from None
        try:
            self._require_same_key()
            sweep(self._folder)
            yield
        finally:
            lock.release()

    def whole(self, fingerprint: str) -> Scan | None:
        """Return the last scan, if it saw the same files and its own are still there."""
        kept = self._read(_WHOLE)
        if kept.get("fingerprint") != fingerprint:
            return None
        scan = _read_as(_SCAN, kept["scan"])
        names = [*kept["tables"]] if scan else []
        if scan is None or not all((self._out / name).is_file() for name in names):
            return None
        return scan if all(map(self._is_there, scan.patients)) else None

    def keep_whole(self, fingerprint: str, scan: Scan, tables: Iterable[str]) -> None:
        """Remember a finished scan."""
        content = {
            "fingerprint": fingerprint,
            "tables": [*tables],
            "scan": _SCAN.dump_python(scan, mode="json"),
        }
        self._write(_WHOLE, content)

    def patient(self, patient: str, digest: str) -> Outcome | None:
        """Return what was found of a patient, if from the same files and rules."""
        kept = self._read(f"{_PATIENTS}/{patient}.json")
        if kept.get("digest") != digest:
            return None
        end: Outcome | None = _read_as(_END, kept["end"])
        if isinstance(end, ScannedPatient) and not self._is_there(end):
            return None
        return end

    def keep_patient(self, patient: str, digest: str, end: Outcome) -> None:
        """Remember what was found of a patient; files of an earlier or half-done scan go."""
        self._remove(patient, but=end.files if isinstance(end, ScannedPatient) else ())
        content = {"digest": digest, "end": _END.dump_python(end, mode="json")}
        self._write(f"{_PATIENTS}/{patient}.json", content)

    def forget_others(self, patients: Iterable[str]) -> None:
        """Remove what belongs to patients who left the export."""
        known = set(patients)
        for file in sorted((self._folder / _PATIENTS).glob("*.json")):
            if file.stem not in known:
                self._remove(file.stem, but=())
                file.unlink(missing_ok=True)

    def _remove(self, patient: str, *, but: Iterable[str]) -> None:
        kept = {self._out / name for name in but}
        for path in self._out.glob(files_of(patient)):
            if path not in kept:
                path.unlink(missing_ok=True)

    def _is_there(self, patient: ScannedPatient) -> bool:
        files = ((self._out / name, size) for name, size in patient.files.items())
        return all(path.is_file() and path.stat().st_size == size for path, size in files)

    def _require_same_key(self) -> None:
        key = self._read("key.json").get("key")
        if key is None:
            self._write("key.json", {"key": self._key})
        elif key != self._key:
            raise UsageError(f"{self._out} was made with another key").with_note(
                "Its pseudonyms are others: use that key, or another folder."
            )

    def _read(self, name: str) -> dict[str, Any]:
        try:
            content = json.loads((self._folder / name).read_bytes())
        except (OSError, ValueError):  # absent, or cut by a kill: it is made again
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, name: str, content: object) -> None:
        write_atomic(self._folder / name, json.dumps(content, indent=1).encode())


def _read_as(kind: TypeAdapter[Any], content: object) -> Any:  # noqa: ANN401  # of the adapter
    """Return what was kept; None where it is of an older program, or damaged."""
    try:
        return kind.validate_python(content) if content is not None else None
    except ValidationError:
        return None
