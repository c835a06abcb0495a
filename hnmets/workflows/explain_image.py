"""The image side of an explanation: what the network of a fold sees in a case's crop."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.case import ImagedCase
from hnmets.domain.geometry import Geometry
from hnmets.explanation.shares import Shares, shares
from hnmets.extractors.embedding import Embedding, network_input
from hnmets.imaging.crop import Crop, crop_geometry, sampled_in_crop
from hnmets.reporting.explained import ExplainedImage, Hidden, MapShares
from hnmets.reporting.overlay import Picture, Plane, planes_of, write_overlays

if TYPE_CHECKING:
    from hnmets.explanation.grad_cam import GradCam
    from hnmets.explanation.integrated_gradients import IntegratedGradients
    from hnmets.explanation.occlusion import Occlusion
    from hnmets.networks.classifier import Classifier

GRADIENTS, CAM = "integrated gradients", "Grad-CAM"


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldNetwork:
    """The backbone that was trained in one fold.

    Parameters
    ----------
    name
        What people call it: `swin`.
    classifier
        In evaluation mode.
    embedding
        Cuts the crop that the network was trained on.
    """

    name: str
    classifier: "Classifier"
    embedding: Embedding


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageExplanation:
    """What a network sees in one crop.

    Parameters
    ----------
    shares
        By method, where the map has its weight; None for a map of nothing.
    weight_dependence
        By method, what is left of the map when the weights are shuffled; empty where that was
        not asked, NaN where a map is flat.
    files
        Overlays, PNG and NIfTI.
    planes
        The overlays of the PNG, one by one.
    """

    network: str
    gradients: "IntegratedGradients"
    cam: "GradCam"
    occlusions: "tuple[Occlusion, ...]"
    shares: Mapping[str, Shares | None]
    weight_dependence: Mapping[str, float]
    files: tuple[Path, ...]
    planes: tuple[Plane, ...]

    def as_json(self) -> dict[str, object]:
        """Return the numbers as a JSON object; the maps are in the files."""
        return {
            "network": self.network,
            "log_odds": self.gradients.log_odds,
            "baseline_log_odds": self.gradients.baseline_log_odds,
            "completeness_error": self.gradients.completeness_error,
            "grad_cam_places": list(self.cam.places),
            "occlusion": [asdict(each) for each in self.occlusions],
            "shares": {
                name: {**asdict(found), "flagged": found.flagged} if found else None
                for name, found in self.shares.items()
            },
            "weight_dependence": {
                name: left if isfinite(left) else None
                for name, left in self.weight_dependence.items()
            },
            "files": [file.name for file in self.files],
        }

    @property
    def explained(self) -> ExplainedImage:
        """What a report shows of it."""
        return ExplainedImage(
            network=self.network,
            shares=tuple(
                MapShares(method=method, shares=found) for method, found in self.shares.items()
            ),
            regions=tuple(
                Hidden(
                    region=each.region,
                    look=each.look,
                    look_and_contour=each.look_and_contour,
                )
                for each in self.occlusions
                if each.voxels
            ),
            planes=self.planes,
        )


def explain_image(
    case: ImagedCase, network: FoldNetwork, out: Path, *, shuffles: int = 0
) -> ImageExplanation:
    """Ask a network by gradients, by its last feature maps and by hiding regions.

    A Grad-CAM of one place tells nothing of where, and is neither drawn nor divided.

    Parameters
    ----------
    out
        Folder of the overlays; made where it is not there.
    shuffles
        Networks of shuffled weights whose maps are compared; each takes as long as the first.

    Raises
    ------
    CaseError
        If the case lacks tumour or ring.
    """
    # Torch takes seconds to load.
    from hnmets.explanation.grad_cam import grad_cam
    from hnmets.explanation.integrated_gradients import air, integrated_gradients
    from hnmets.explanation.occlusion import occlusion

    crop = network.embedding.cut(case)
    grid, organs = _surroundings(case, network.embedding)
    seen = network_input(crop, network.embedding.variant)
    gradients = integrated_gradients(network.classifier, seen, baseline=air(seen))
    cam = grad_cam(network.classifier, seen)
    maps = {GRADIENTS: gradients.attributions[0]} | ({CAM: cam.map} if cam.tells_where else {})
    outlines = {"tumour": crop.tumour, "ring": crop.ring}
    picture = _picture(case.case_id, crop, grid, maps)
    return ImageExplanation(
        network=network.name,
        gradients=gradients,
        cam=cam,
        occlusions=occlusion(network.classifier, seen, {**outlines, **organs}),
        shares={
            name: shares(values, tumour=crop.tumour, spacing_mm=crop.spacing_mm)
            for name, values in maps.items()
        },
        weight_dependence=_dependence(network.classifier, seen, list(maps), shuffles),
        files=tuple(write_overlays(picture, out)),
        planes=tuple(planes_of(picture)),
    )


def _dependence(
    classifier: "Classifier", seen: NDArray[np.float32], methods: Sequence[str], shuffles: int
) -> dict[str, float]:
    from hnmets.explanation.grad_cam import grad_cam
    from hnmets.explanation.integrated_gradients import air, integrated_gradients
    from hnmets.explanation.sanity import weight_dependence

    def gradients(network: "Classifier") -> NDArray[np.float64]:
        found = integrated_gradients(network, seen, baseline=air(seen))
        return np.asarray(found.attributions[0])

    def cam(network: "Classifier") -> NDArray[np.float64]:
        return grad_cam(network, seen).map

    if not shuffles:
        return {}
    maps = {GRADIENTS: gradients, CAM: cam}
    return {name: weight_dependence(maps[name], classifier, draws=shuffles) for name in methods}


def _picture(
    case_id: str, crop: Crop, grid: Geometry, maps: Mapping[str, NDArray[np.float64]]
) -> Picture:
    return Picture(
        title=case_id,
        window=crop.window,
        maps=maps,
        outlines={"tumour": crop.tumour, "ring": crop.ring},
        geometry=grid,
    )


def _surroundings(
    case: ImagedCase, embedding: Embedding
) -> tuple[Geometry, dict[str, NDArray[np.bool_]]]:
    """Return the crop's grid, and the case's other regions on it."""
    masks = {
        name: np.asarray(np.any([region.mask for region in parts], axis=0))
        for name, parts in case.regions.items()
        if parts
    }
    tumour, ring = masks.pop(embedding.tumour), masks.pop(embedding.ring)
    grid = case.ct.geometry
    parameters = embedding.parameters.crop
    return (
        crop_geometry(grid, tumour=tumour, ring=ring, parameters=parameters),
        sampled_in_crop(masks, grid, tumour=tumour, ring=ring, parameters=parameters),
    )
