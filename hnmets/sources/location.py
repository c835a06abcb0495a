"""Files of a case: found by pattern or column, and never outside the data folder."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hnmets.domain.errors import CaseError, Code

_PLACE = re.compile(r"\{([^{}]+)\}")


def placeholders(pattern: str) -> tuple[str, ...]:
    """Return the names in braces.

    Examples
    --------
    >>> placeholders("nifti/{case}_{scan}.nii.gz")
    ('case', 'scan')
    """
    return tuple(dict.fromkeys(_PLACE.findall(pattern)))


def pattern_columns(pattern: str) -> tuple[str, ...]:
    """Return the manifest columns that a path pattern needs; without braces it is a column."""
    names = placeholders(pattern)
    return tuple(name for name in names if name != "case") if names else (pattern,)


def fill(pattern: str, case_id: str, cells: Mapping[str, str]) -> str:
    """Return the path of one case; empty where the manifest leaves it out.

    Examples
    --------
    >>> fill("nifti/{case}_{scan}.nii.gz", "HN-1", {"scan": "CT"})
    'nifti/HN-1_CT.nii.gz'
    >>> fill("ct_file", "HN-1", {"ct_file": "a/b.nii.gz"})
    'a/b.nii.gz'
    """
    if not placeholders(pattern):
        return cells[pattern]
    known = {**cells, "case": case_id}
    if any(not known[name] for name in placeholders(pattern)):
        return ""
    return _PLACE.sub(lambda place: known[place.group(1)], pattern)


class DataFolder:
    """The folder below which all images lie; remembers where its folders really are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = root.resolve()
        # Resolving costs a call per path component, and most cases share their folders.
        self._real_folders: dict[Path, Path] = {}

    def locate(self, text: str) -> Path:
        """Return the path of a file that exists below the folder.

        Raises
        ------
        CaseError
            E_PATH for a path or link that leads outside, E_IMG_MISSING where no file is.
        """
        if "\0" in text:
            raise CaseError(Code.PATH_OUTSIDE, f"{text!r} is no path")
        path = self.root / text
        try:
            inside = self._real(path).is_relative_to(self._real_root)
            found = inside and path.is_file()
        except (OSError, RuntimeError) as error:
            # RuntimeError: how Python before 3.13 reports a loop of links.
            reason = error.strerror if isinstance(error, OSError) else "a loop of links"
            raise CaseError(Code.IMAGE_MISSING, f"'{_short(text)}': {reason}") from None
        if not inside:
            raise CaseError(Code.PATH_OUTSIDE, f"'{_short(text)}' lies outside the data folder")
        if not found:
            raise CaseError(Code.IMAGE_MISSING, f"no file '{_short(text)}'")
        return path

    def cases(self, pattern: str) -> Iterator[str]:
        """Yield, sorted, what `{case}` stands for in the files that fit a pattern."""
        fixed = [re.escape(part) for part in re.split(r"\{case\}", pattern)]
        # The first place names the case, further ones must repeat it.
        fit = re.compile(fixed[0] + "(?P<case>[^/]+)" + "(?P=case)".join(fixed[1:]))
        glob = "*".join(re.sub(r"([*?\[])", r"[\1]", part) for part in pattern.split("{case}"))
        for path in sorted(self.root.glob(glob)):
            if match := fit.fullmatch(path.relative_to(self.root).as_posix()):
                yield match["case"]

    def _real(self, path: Path) -> Path:
        if path.is_symlink() or path.name == "..":
            return path.resolve()
        folder = path.parent
        if folder not in self._real_folders:
            self._real_folders[folder] = folder.resolve()
        return self._real_folders[folder] / path.name


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:100]}…{text[-60:]}"
