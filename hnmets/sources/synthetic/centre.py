"""The three centres of the synthetic cohort, each with its scanner."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Centre:
    """A hospital and how its CT looks.

    Parameters
    ----------
    share
        Of the patients.
    noise_hu
        Standard deviation of the noise.
    kernel_mm
        Width (Gaussian sigma, in plane) over which the noise is correlated.
    spacing_factor
        Voxel size along (D, H, W) relative to the cohort's nominal spacing.
    """

    name: str
    scanner: str
    share: float
    noise_hu: float
    kernel_mm: float
    spacing_factor: tuple[float, float, float]


CENTRES = (
    Centre(
        name="north",
        scanner="Borealis 64",
        share=0.5,
        noise_hu=9.0,
        kernel_mm=0.9,
        spacing_factor=(1.0, 0.98, 0.98),
    ),
    Centre(
        name="south",
        scanner="Austral 16",
        share=0.3,
        noise_hu=14.0,
        kernel_mm=0.5,
        spacing_factor=(5 / 6, 1.0, 1.0),
    ),
    Centre(
        name="west",
        scanner="Zephyr 128",
        share=0.2,
        noise_hu=11.0,
        kernel_mm=1.3,
        spacing_factor=(1.0, 1.17, 1.17),
    ),
)
