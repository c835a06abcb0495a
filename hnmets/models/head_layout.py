"""The shapes of a fusion head; heads of one layout can be computed as one stack."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from hnmets.models.head_parameters import Fusion, HeadParameters


@dataclass(frozen=True)
class HeadLayout:
    """What decides the shapes of a head's parameters.

    Parameters
    ----------
    widths
        Columns of each modality; the input has them side by side.
    fusion, projection, hidden
        See `HeadParameters`.
    """

    widths: tuple[int, ...]
    fusion: Fusion
    projection: int
    hidden: tuple[int, ...]

    @property
    def columns(self) -> int:
        """Columns of the input."""
        return sum(self.widths)

    @cached_property
    def projected(self) -> tuple[bool, ...]:
        """Whether each modality is projected."""
        every = self.fusion != "concatenation"
        return tuple(every or width > self.projection for width in self.widths)

    @property
    def attends(self) -> bool:
        """Whether there is another modality to look at."""
        return self.fusion == "attention" and len(self.widths) > 1

    @property
    def gates(self) -> bool:
        """Whether there is another modality to weigh against."""
        return self.fusion == "gated" and len(self.widths) > 1

    @property
    def fused(self) -> int:
        """Units behind the fusion."""
        if self.fusion == "gated":
            return self.projection
        pairs = zip(self.widths, self.projected, strict=True)
        return sum(self.projection if projected else width for width, projected in pairs)

    @cached_property
    def linear(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of each linear map, by name.

        Examples
        --------
        >>> HeadLayout((768, 36, 12), "concatenation", 64, (128, 32)).linear
        {'project.0': (768, 64), 'layer.0': (112, 128), 'layer.1': (128, 32), 'out': (32, 1)}
        """
        size = self.projection
        maps = {
            f"project.{place}": (width, size)
            for place, width in enumerate(self.widths)
            if self.projected[place]
        }
        if self.gates:
            maps["gate"] = (len(self.widths) * size, len(self.widths))
        if self.attends:
            maps |= dict.fromkeys(("query", "key", "value", "mix"), (size, size))
        units = (self.fused, *self.hidden)
        for place, pair in enumerate(pairwise(units)):
            maps[f"layer.{place}"] = pair
        return maps | {"out": (units[-1], 1)}

    @cached_property
    def reading(self) -> dict[str, tuple[bool, ...]]:
        """Which inputs of a map are columns of the head's input, for maps that have any.

        Examples
        --------
        >>> HeadLayout((3, 1), "concatenation", 2, (8,)).reading
        {'project.0': (True, True, True), 'layer.0': (False, False, True)}
        """
        own = {name: inputs for name, (inputs, _) in self.linear.items() if "project." in name}
        maps = {name: (True,) * inputs for name, inputs in own.items()}
        if not all(self.projected):
            blocks = zip(self.widths, self.projected, strict=True)
            sizes = ((self.projection, False) if there else (w, True) for w, there in blocks)
            first = "layer.0" if self.hidden else "out"
            maps[first] = tuple(column for size, column in sizes for _ in range(size))
        return maps

    @cached_property
    def dropped(self) -> tuple[int, ...]:
        """Units under dropout, in the order in which the head computes them."""
        return (*(self.projection for projected in self.projected if projected), *self.hidden)


def layout_of(parameters: HeadParameters, widths: tuple[int, ...]) -> HeadLayout:
    """Return the layout for modalities of these widths."""
    return HeadLayout(widths, parameters.fusion, parameters.projection, parameters.hidden)
