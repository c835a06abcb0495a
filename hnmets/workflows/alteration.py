"""The control or perturbation that a build was asked for, as the study declares it."""

from hnmets.domain.errors import UsageError
from hnmets.imaging.alteration import Alteration
from hnmets.imaging.controls import Control
from hnmets.imaging.perturbations import Perturbation
from hnmets.workflows.study import Study


def alteration_of(
    study: Study, *, control: str | None = None, perturb: str | None = None
) -> Alteration | None:
    """Return what every case of a build goes through; None for the study itself.

    Parameters
    ----------
    control, perturb
        Names, such as `shuffled-roi` and `grow-1mm`.

    Raises
    ------
    UsageError
        If there is no such control or perturbation, or both are asked for at once.
    """
    if control and perturb:
        raise UsageError("a build is a control or a perturbation, not both at once").with_note(
            "Run one build for each."
        )
    section = study.controls
    if perturb:
        return Perturbation.of(perturb, seed=section.seed)
    if control:
        rule = study.drawn.get(section.region)
        return Control(name=control, region=section.region, rule=rule, seed=section.seed)
    return None


def region_needed_by(alteration: Alteration | None) -> tuple[str, ...]:
    """Return the region whose mask decides what a control replaces; mostly none."""
    if isinstance(alteration, Control) and alteration.needs_region:
        return (alteration.region,)
    return ()
