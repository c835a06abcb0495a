"""What a search of backbones may choose, and how a trial comes to one; loads no library."""

from dataclasses import dataclass, field, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Literal

from hnmets.domain.variant import Variant
from hnmets.models.backbone.parameters import SAFE_AUGMENTATIONS, Augmentation, BackboneParameters
from hnmets.networks.architecture import Architecture, BackboneName
from hnmets.tuning.choosing import number, one
from hnmets.tuning.space import Numbers, Range, require_possible

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Strength = Literal["none", "safe", "strong"]
Depths = tuple[int, int, int, int]

AUGMENTATIONS: dict[Strength, tuple[Augmentation, ...]] = {
    "none": (),
    "safe": SAFE_AUGMENTATIONS,
    "strong": ("flip-x", "flip-y", *SAFE_AUGMENTATIONS),
}


@dataclass(frozen=True, kw_only=True)
class BackboneSpace:
    """Settings among which a search of backbones chooses; a list of one is a decision.

    What belongs to a Swin Transformer is asked of no other network.

    Parameters
    ----------
    backbone
        Architectures by name.
    embed_dim, depths, window, patch
        Of a Swin; by default those of the study, beside twice the embedding and two blocks a
        stage.
    frozen_tables, learning_rate, weight_decay, dropout
        See `BackboneParameters`.
    augmentation
        `none`; `safe`: what keeps left, right, front and back apart, or turns both; `strong`:
        single flips too.
    variant
        What the network may see: tumour and ring, or one of them alone.
    init
        Seeds of the weights to start from.
    """

    backbone: tuple[BackboneName, ...] = ("swin", "cnn")
    embed_dim: tuple[int, ...] | None = None
    depths: tuple[Depths, ...] | None = None
    window: tuple[int, ...] | None = None
    patch: tuple[int, ...] | None = None
    frozen_tables: tuple[bool, ...] = (False, True)
    learning_rate: Numbers = field(default_factory=lambda: Range(low=3e-4, high=3e-3, log=True))
    weight_decay: Numbers = field(default_factory=lambda: Range(low=1e-3, high=0.3, log=True))
    dropout: Numbers = field(default_factory=lambda: Range(low=0.0, high=0.5))
    augmentation: tuple[Strength, ...] = ("none", "safe", "strong")
    variant: tuple[Variant, ...] = ("both", "tumour")
    init: tuple[int, ...] = (0, 1)

    def __post_init__(self) -> None:
        """Check that every setting has a choice."""
        for each in fields(self):
            if getattr(self, each.name) == ():
                raise ValueError(f"`{each.name}` has nothing to choose from")
        require_possible(self, BackboneParameters())

    def filled(self, own: Architecture) -> "BackboneSpace":
        """Return the space with the shapes around a study's own where it names none."""
        double = tuple(max(2, depth) for depth in own.depths)
        return replace(
            self,
            embed_dim=self.embed_dim or (own.embed_dim, 2 * own.embed_dim),
            depths=self.depths or tuple(dict.fromkeys((own.depths, double))),  # type: ignore[arg-type]  # four as before
            window=self.window or (own.window,),
            patch=self.patch or (own.patch,),
        )

    def why_not(self, own: Architecture, edge: int) -> str:
        """Return why one of its shapes is none for crops of an edge; empty where all are."""
        try:
            shapes = [
                own.reshaped(embed_dim=embed, depths=depths, window=window, patch=patch)
                for embed, depths, window, patch in product(
                    self.embed_dim or (), self.depths or (), self.window or (), self.patch or ()
                )
            ]
        except ValueError as error:
            return str(error)
        for shape in shapes:
            if edge % shape.edge_multiple:
                return f"patch {shape.patch} needs crops whose edge is a multiple of " + str(
                    shape.edge_multiple
                )
        return ""


@dataclass(frozen=True, kw_only=True)
class BackboneConfiguration:
    """One way to build and train a backbone.

    Parameters
    ----------
    init
        Seed of the weights to start from.
    """

    backbone: BackboneName
    architecture: Architecture
    init: int
    training: BackboneParameters


def backbone_of(
    trial: "BaseTrial", space: BackboneSpace, own: Architecture, base: BackboneParameters
) -> BackboneConfiguration:
    """Ask a trial for each setting.

    Parameters
    ----------
    space
        With every shape filled in.
    own
        Shape of the study's Swin.
    base
        Settings of the training that no search decides.
    """
    backbone = one(trial, "backbone", space.backbone)
    is_swin = backbone == "swin"
    training = replace(
        base,
        learning_rate=number(trial, "learning_rate", space.learning_rate),
        weight_decay=number(trial, "weight_decay", space.weight_decay),
        dropout=number(trial, "dropout", space.dropout),
        augment=AUGMENTATIONS[one(trial, "augmentation", space.augmentation)],
        variant=one(trial, "variant", space.variant),
        frozen_tables=is_swin and one(trial, "frozen_tables", space.frozen_tables),
    )
    return BackboneConfiguration(
        backbone=backbone,
        architecture=_shape(trial, space, own) if is_swin else own,
        init=one(trial, "init", space.init),
        training=training,
    )


def _shape(trial: "BaseTrial", space: BackboneSpace, own: Architecture) -> Architecture:
    layers = {"-".join(map(str, depths)): depths for depths in space.depths or (own.depths,)}
    return own.reshaped(
        embed_dim=one(trial, "embed_dim", space.embed_dim or (own.embed_dim,)),
        depths=layers[one(trial, "depths", tuple(layers))],
        window=one(trial, "window", space.window or (own.window,)),
        patch=one(trial, "patch", space.patch or (own.patch,)),
    )
