"""Names for patients and objects that only the holder of the key can make."""

import base64
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.domain.secret import warn_if_shared

_SHORTEST_KEY = 16
_LETTERS = 10
_HOW_TO = (
    "Make one and keep it where the images are, not where the results go:  "
    "python -c 'import secrets; print(secrets.token_hex(32))' > key && chmod 600 key"
)


@dataclass(frozen=True, kw_only=True)
class Pseudonyms:
    """Keyed hashes (HMAC-SHA-256): without the key no list of ids can be tried out.

    Parameters
    ----------
    key
        Secret bytes; not shown, not compared in messages, never stored.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key that could be guessed."""
        if len(self.key) < _SHORTEST_KEY:
            raise UsageError(
                f"the pseudonym key has {len(self.key)} bytes; {_SHORTEST_KEY} are the least"
            ).with_note(_HOW_TO)

    def patient(self, patient_id: str) -> str:
        """Return the pseudonym of a patient id; blanks around it do not count."""
        return f"P-{self._hash('patient', patient_id.strip())}"

    def uid(self, kind: str, uid: str) -> str:
        """Return what stands for a UID: equal ones stay equal, nothing else can be told."""
        return f"{kind}-{self._hash('uid', uid.strip())}" if uid.strip() else ""

    def text(self, text: str) -> str:
        """Return what stands for a free text of a header, so that groups stay groups."""
        return f"other-{self._hash('text', text.strip())[:6]}"

    @property
    def check(self) -> str:
        """What tells two keys apart and gives none of them away."""
        return self._hash("check", "key")

    def digest(self, content: str) -> str:
        """Return a long keyed hash of a text."""
        return hmac.digest(self.key, f"digest\0{content}".encode(), "sha256").hex()

    def _hash(self, purpose: str, text: str) -> str:
        digest = hmac.digest(self.key, f"{purpose}\0{text}".encode(), "sha256")
        # 50 bits: a million patients meet with a chance of one in two thousand.
        return base64.b32encode(digest)[:_LETTERS].decode().lower()


def read_key(file: Path | None, variable: str | None) -> Pseudonyms:
    """Return the pseudonyms of a key that stands in a file, else in an environment variable.

    Parameters
    ----------
    file
        Its content without surrounding blanks is the key.
    variable
        The value of the variable; None where it is not set.

    Raises
    ------
    UsageError
        If there is no key, or a short one.
    """
    if file is not None:
        try:
            key = file.read_bytes().strip()
        except OSError as error:
            raise UsageError(f"the key file '{file}' cannot be read: {error.strerror}").with_note(
                _HOW_TO
            ) from None
        warn_if_shared(file)
        return Pseudonyms(key=key)
    if not variable:
        raise (
            UsageError("there is no key for the pseudonyms")
            .with_note("Name its file with --key-file, or set HNMETS_PSEUDONYM_KEY.")
            .with_note(_HOW_TO)
        )
    return Pseudonyms(key=variable.strip().encode())
