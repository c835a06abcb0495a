"""A study file to start from."""

from importlib.resources import files
from pathlib import Path

from hnmets.domain.errors import UsageError


def run(folder: Path) -> Path:
    """Write the commented study file into a folder.

    Raises
    ------
    UsageError
        If the folder already has a study file.
    """
    target = folder / "study.toml"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise UsageError(f"{target} exists already").with_note(
            "Edit it, or choose another folder."
        ) from None
    return target


def template() -> str:
    """Return the commented study file."""
    return (files("hnmets.workflows") / "study_template.toml").read_text(encoding="utf-8")
