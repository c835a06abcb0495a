"""One division of a cohort into patients to learn from and patients to score."""

from collections.abc import Iterable
from dataclasses import dataclass

# An inner split needs a patient of each class to fit on and one to choose by.
_FEWEST_TO_LEARN_FROM = 2


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Case ids by what may be done with them.

    Parameters
    ----------
    name
        `repeat 1 fold 3`, `centre CHUM`, `since 2010`.
    repeat
        1, 2, …; every case is held out at most once per repeat.
    held_out
        Cases to score.
    inner
        The training part, divided again. Whatever stops, thresholds, calibrates or chooses
        learns on all parts but one and looks at that one. A single part where the training part
        has too few patients to be divided.
    """

    name: str
    repeat: int
    held_out: tuple[str, ...]
    inner: tuple[tuple[str, ...], ...]

    @property
    def training(self) -> tuple[str, ...]:
        """Cases to learn from, sorted."""
        return tuple(sorted(case for part in self.inner for case in part))

    def fitting(self, part: int = 0) -> tuple[str, ...]:
        """Return the training cases without one inner part, sorted."""
        others = (cases for place, cases in enumerate(self.inner) if place != part)
        return tuple(sorted(case for cases in others for case in cases))

    def choosing(self, part: int = 0) -> tuple[str, ...]:
        """Return the cases of one inner part, sorted."""
        return tuple(sorted(self.inner[part]))


def why_untrainable(patients: Iterable[tuple[str, bool]]) -> str:
    """Return why nothing can be learned from these patients; empty where it can.

    Parameters
    ----------
    patients
        Patient and event of each case of a training part.

    Examples
    --------
    >>> why_untrainable([("a", True), ("b", False), ("c", False)])
    'training: 1 patient with the event and 2 without, at least 2 of each are needed'
    """
    with_event, without = _classes(patients)
    if min(with_event, without) >= _FEWEST_TO_LEARN_FROM:
        return ""
    plural = "" if with_event == 1 else "s"
    return (
        f"training: {with_event} patient{plural} with the event and {without} without, "
        f"at least {_FEWEST_TO_LEARN_FROM} of each are needed"
    )


def why_unscorable(patients: Iterable[tuple[str, bool]]) -> str:
    """Return why no discrimination can be measured in these patients; empty where it can.

    Examples
    --------
    >>> why_unscorable([("a", False), ("b", False)])
    'held out: 0 patients with the event and 2 without, 1 of each is needed'
    """
    with_event, without = _classes(patients)
    if min(with_event, without) >= 1:
        return ""
    plural = "" if with_event == 1 else "s"
    return (
        f"held out: {with_event} patient{plural} with the event and {without} without, "
        "1 of each is needed"
    )


def _classes(patients: Iterable[tuple[str, bool]]) -> tuple[int, int]:
    """Return the patients with an event in any case, and the others."""
    pairs = list(patients)
    everyone = {patient for patient, _ in pairs}
    with_event = {patient for patient, event in pairs if event}
    return len(with_event), len(everyone) - len(with_event)
