"""What a 3-D Swin Transformer sees in the crop around tumour and ring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Json, Recipe
from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import CaseError, Code, InvalidDataError
from hnmets.domain.region import RegionRule
from hnmets.domain.variant import Variant
from hnmets.extractors.altered import altered
from hnmets.extractors.base import Features
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.extractors.parts import around_of, parts_of, rule_identity
from hnmets.imaging.crop import Crop, cut
from hnmets.imaging.crop_cache import crop_key

if TYPE_CHECKING:
    from hnmets.extractors.network_engine import Engine
    from hnmets.imaging.alteration import Alteration

CHANNELS = ("ct", "tumour", "ring")


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Embedding of one case by a Swin Transformer.

    Parameters
    ----------
    variant
        What the network may see. `both`: the whole CT of the crop and both masks. `tumour`,
        `ring`: the CT inside that region alone (everything else is 0, as air is) and its mask;
        the other mask is empty. The network and its input channels are the same for all three,
        so that a difference between them comes from what was shown.
    rules
        Rules of the study's regions by name; part of the identity.
    tumour, ring
        Names of the regions; where one is kept in parts, the crop shows all of them.
    parameters
        Network, weights and crop.
    alteration
        The control or perturbation that the cases went through; part of the identity.

    References
    ----------
    Liu et al., doi:10.1109/ICCV48922.2021.00986; Hatamizadeh et al., arXiv 2201.01266.
    """

    variant: Variant = "both"
    rules: Mapping[str, RegionRule]
    tumour: str = "tumour"
    ring: str = "ring"
    parameters: EmbeddingParameters = field(default_factory=EmbeddingParameters)
    alteration: "Alteration | None" = None

    def __post_init__(self) -> None:
        for name in self.regions:
            if name not in self.rules:
                known = ", ".join(self.rules) or "none"
                raise InvalidDataError(f"embedding of region '{name}': the study has {known}")

    @property
    def regions(self) -> tuple[str, str]:
        """Names of the regions that the crop is cut around."""
        return self.tumour, self.ring

    @cached_property
    def recipe(self) -> Recipe:
        """Identity in the store; known without loading torch.

        Torch is part of it for random weights alone: their values hang on how torch draws
        them. Otherwise it moves the last digits, and is recorded beside the row.

        Raises
        ------
        WeightsError
            If there is no such weights file.
        """
        # MONAI defines the network that hnmets computes; tests hold the two together.
        libraries = ("monai",) if self.parameters.weights else ("monai", "torch")
        plain = Recipe(
            name=self._name,
            kind="embedding",
            types="float",
            columns=tuple(f"e{i:03d}" for i in range(self.parameters.embedding_size)),
            parameters={
                "variant": self.variant,
                "channels": list(CHANNELS),
                "regions": self.region_identity,
                **self.parameters.identity,
            },
            libraries=library_versions(*libraries),
        )
        return altered(plain, self.alteration)

    def crop_key(self, input_digest: str) -> str:
        """Return the identity of a case's crop; all variants share it.

        Parameters
        ----------
        input_digest
            Over the files that the crop is cut from.
        """
        return crop_key(
            input_digest=input_digest,
            parameters=self.parameters.crop,
            regions=self.region_identity,
            alteration=self.alteration.identity if self.alteration else None,
        )

    def cut(self, case: ImagedCase) -> Crop:
        """Cut the crop of a case.

        Raises
        ------
        CaseError
            If the case lacks tumour or ring.
        """
        return cut(
            case.ct,
            tumour=_whole(case, self.tumour),
            ring=_whole(case, self.ring),
            parameters=self.parameters.crop,
        )

    def embed(self, crops: Sequence[Crop]) -> tuple[Features | CaseError, ...]:
        """Embed crops in batches; what one crop gives does not depend on the others.

        Returns
        -------
        tuple
            One entry per crop: float32 features, or why this one has none.

        Raises
        ------
        WeightsError
            If the weights cannot be used.
        """
        engine = self._engine()
        inputs = (network_input(crop, self.variant) for crop in crops)
        return tuple(
            self._features(crop, vector, engine)
            for crop, vector in zip(crops, engine.embed(inputs), strict=True)
        )

    @property
    def _name(self) -> str:
        backbone = self.parameters.backbone
        if backbone == "swin":
            return f"embedding.{self.variant}"
        # Behind a dot it would belong to the family `embedding.both`, a Swin Transformer's.
        return f"embedding.{backbone}" + ("" if self.variant == "both" else f"-{self.variant}")

    def _engine(self) -> "Engine":
        # Seconds of imports, which a build that finds nothing to do shall not pay.
        from hnmets.extractors.network_engine import engine_of

        return engine_of(self.parameters, channels=len(CHANNELS))

    @property
    def region_identity(self) -> dict[str, Json]:
        """Rules of the two regions, as JSON."""
        return {
            "tumour": rule_identity(self.rules[self.tumour], around_of(self.rules, self.tumour)),
            "ring": rule_identity(self.rules[self.ring], around_of(self.rules, self.ring)),
        }

    def _features(
        self, crop: Crop, vector: NDArray[np.float32] | CaseError, engine: "Engine"
    ) -> Features | CaseError:
        if isinstance(vector, CaseError):
            return vector
        if not np.isfinite(vector).all():
            count = int((~np.isfinite(vector)).sum())
            return CaseError(Code.EXTRACTOR, f"{self.recipe.name}: {count} values are not finite")
        return Features(values=vector, flags=crop.flags, made_with=engine.made_with)


def network_input(crop: Crop, variant: Variant) -> NDArray[np.float32]:
    """Return the channels CT, tumour, ring: float32 (3, D, H, W), 0 to 1."""
    tumour = crop.tumour.astype(np.float32)
    ring = crop.ring.astype(np.float32)
    if variant == "tumour":
        ring = np.zeros_like(ring)
    elif variant == "ring":
        tumour = np.zeros_like(tumour)
    shown = crop.window if variant == "both" else crop.window * (tumour + ring)
    return np.stack([shown, tumour, ring])


def _whole(case: ImagedCase, region: str) -> NDArray[np.bool_]:
    parts = parts_of(case, region)
    if not parts:
        raise CaseError(Code.REGION_EMPTY, f"the case has no region '{region}' to cut around")
    if len(parts) == 1:
        return parts[0].mask
    whole: NDArray[np.bool_] = np.logical_or.reduce([part.mask for part in parts])
    return whole


def library_versions(*names: str) -> dict[str, str]:
    """Return the versions of the libraries that define the values of an embedding."""
    return {name: _major_minor(version(name)) for name in names}


def _major_minor(installed: str) -> str:
    """Return the version without its patch: those do not move the values.

    Examples
    --------
    >>> _major_minor("2.13.0+cpu")
    '2.13'
    """
    return ".".join(installed.split(".")[:2])
