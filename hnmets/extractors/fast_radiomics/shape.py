"""Size and form of a region, 14 features of its mask alone.

References
----------
IBSI, doi:10.1148/radiol.2020191145, section 3.1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.mesh import Diameters, area_and_volume, diameters

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What is measured of a mask.

    Parameters
    ----------
    area_mm2, volume_mm3
        Of the mesh.
    voxel_volume_mm3
        All voxels together.
    diameters
        The longest distances on the mesh.
    variances
        Of the voxels along the principal axes, ascending, mm², shape (3,).
    """

    area_mm2: float
    volume_mm3: float
    voxel_volume_mm3: float
    diameters: Diameters
    variances: NDArray[np.float64]


def form_of(mask: NDArray[np.bool_], spacing_mm: Triple) -> Form:
    """Measure a mask (D, H, W) that is cropped to the region."""
    area, volume = area_and_volume(mask, spacing_mm)
    d, h, w = spacing_mm
    return Form(
        area_mm2=area,
        volume_mm3=volume,
        voxel_volume_mm3=int(np.count_nonzero(mask)) * (d * w * h),
        diameters=diameters(mask, spacing_mm),
        variances=_principal_variances(mask, spacing_mm),
    )


def _principal_variances(mask: NDArray[np.bool_], spacing_mm: Triple) -> NDArray[np.float64]:
    """Return PyRadiomics' eigenvalues: of a flat region the least one is a rounding error."""
    at = (np.argwhere(mask) + 1) * np.array(spacing_mm)
    at -= np.mean(at, axis=0)
    at /= np.sqrt(len(at))
    # Of a symmetric matrix: what rounding leaves of an imaginary part is none.
    found = np.real(np.linalg.eigvals(np.dot(at.T.copy(), at)))
    found[(found < 0) & (found > -1e-10)] = 0
    return np.sort(found)


def elongation(f: Form) -> float:
    """√(λ minor / λ major). PyRadiomics Elongation, IBSI Q3CK."""
    return float(np.sqrt(f.variances[1] / f.variances[2]))


def flatness(f: Form) -> float:
    """√(λ least / λ major). PyRadiomics Flatness, IBSI N17B."""
    return float(np.sqrt(f.variances[0] / f.variances[2]))


def least_axis_length(f: Form) -> float:
    """4 √λ least, mm. PyRadiomics LeastAxisLength, IBSI 7J51."""
    return float(4 * np.sqrt(f.variances[0]))


def major_axis_length(f: Form) -> float:
    """4 √λ major, mm. PyRadiomics MajorAxisLength, IBSI TDIC."""
    return float(4 * np.sqrt(f.variances[2]))


def maximum_2d_diameter_column(f: Form) -> float:
    """Within a coronal plane, mm. PyRadiomics Maximum2DDiameterColumn, not in the IBSI."""
    return f.diameters.column


def maximum_2d_diameter_row(f: Form) -> float:
    """Within a sagittal plane, mm. PyRadiomics Maximum2DDiameterRow, not in the IBSI."""
    return f.diameters.row


def maximum_2d_diameter_slice(f: Form) -> float:
    """Within an axial plane, mm. PyRadiomics Maximum2DDiameterSlice, not in the IBSI."""
    return f.diameters.slice


def maximum_3d_diameter(f: Form) -> float:
    """Of the mesh, mm. PyRadiomics Maximum3DDiameter, IBSI L0JK."""
    return f.diameters.any


def mesh_volume(f: Form) -> float:
    """Of the mesh, mm³. PyRadiomics MeshVolume, IBSI RNU0."""
    return f.volume_mm3


def minor_axis_length(f: Form) -> float:
    """4 √λ minor, mm. PyRadiomics MinorAxisLength, IBSI P9VJ."""
    return float(4 * np.sqrt(f.variances[1]))


def sphericity(f: Form) -> float:
    """∛(36 π V²) / A. PyRadiomics Sphericity, IBSI QCFX."""
    return float((36 * np.pi * f.volume_mm3**2) ** (1.0 / 3.0) / f.area_mm2)


def surface_area(f: Form) -> float:
    """Of the mesh, mm². PyRadiomics SurfaceArea, IBSI C0JK."""
    return f.area_mm2


def surface_volume_ratio(f: Form) -> float:
    """Area / volume, mm⁻¹. PyRadiomics SurfaceVolumeRatio, IBSI 2PR5."""
    return f.area_mm2 / f.volume_mm3


def voxel_volume(f: Form) -> float:
    """Of all voxels, mm³. PyRadiomics VoxelVolume, IBSI YEKZ."""
    return f.voxel_volume_mm3


FEATURES = {
    "Elongation": elongation,
    "Flatness": flatness,
    "LeastAxisLength": least_axis_length,
    "MajorAxisLength": major_axis_length,
    "Maximum2DDiameterColumn": maximum_2d_diameter_column,
    "Maximum2DDiameterRow": maximum_2d_diameter_row,
    "Maximum2DDiameterSlice": maximum_2d_diameter_slice,
    "Maximum3DDiameter": maximum_3d_diameter,
    "MeshVolume": mesh_volume,
    "MinorAxisLength": minor_axis_length,
    "Sphericity": sphericity,
    "SurfaceArea": surface_area,
    "SurfaceVolumeRatio": surface_volume_ratio,
    "VoxelVolume": voxel_volume,
}
