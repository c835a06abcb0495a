"""The 3-D Swin Transformer's own computation, under MONAI's names of its parameters.

MONAI's `SwinTransformer` is the reference: the same `state_dict`, the same draws of random
weights, the same numbers to rounding (tests hold values and gradients to it in float64), in
about a third of the time on a CPU. What is saved: the score tensor (fused attention), the shift
mask of every window (only windows at the end of an axis need one), padding, rolling and
partition (one copy takes tokens into their windows), the projection of padded tokens. While the
position tables are trained on a CPU the scores are kept: torch fuses no gradient for them there.

Tokens are channels-last everywhere: (B, D, H, W, C).

References
----------
Liu et al., doi:10.1109/ICCV48922.2021.00986; Hatamizadeh et al., arXiv 2201.01266.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hnmets.networks.architecture import Architecture, Merging

Shape = tuple[int, int, int]
Octants = tuple[Shape, ...]

# MONAI's score of a pair that the cyclic shift brought together: not minus infinity.
APART = -100.0
FIXED_OCTANTS = (
    (0, 0, 0),
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 1, 0),
    (1, 0, 1),
    (0, 1, 1),
    (1, 1, 1),
)
# As MONAI up to 1.4 took them: (0, 1, 0) and (0, 0, 1) come twice, (1, 1, 0) and (0, 1, 1)
# never (MONAI issues 4757 and 8284, kept for old weights until 1.5).
LEGACY_OCTANTS = (
    (0, 0, 0),
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 0, 1),
    (0, 1, 0),
    (0, 0, 1),
    (1, 1, 1),
)
OCTANTS: dict[Merging, Octants] = {"fixed": FIXED_OCTANTS, "legacy": LEGACY_OCTANTS}


class SwinBackbone(nn.Module):
    """Patch embedding and four stages: a crop in, the tokens of the last stage out.

    Parameters
    ----------
    architecture
        Shape of the network.
    channels
        Channels of the crop.
    merging
        `fixed` as in MONAI from 1.5 on, `legacy` as in MONAI up to 1.4.
    """

    def __init__(self, architecture: Architecture, *, channels: int, merging: Merging) -> None:
        super().__init__()
        self.patch = architecture.patch
        self.edge_multiple = architecture.edge_multiple
        self.patch_embed = PatchEmbedding(architecture, channels=channels)
        # MONAI keeps each stage in a list of one: the "0" in the names of the parameters.
        self.layers1, self.layers2, self.layers3, self.layers4 = (
            nn.ModuleList([Stage(architecture, place, octants=OCTANTS[merging])])
            for place in range(4)
        )

    def forward(self, crops: Tensor) -> Tensor:
        """Return the last tokens: (B, channels, D, H, W) to (B, D/32, H/32, W/32, 16 × dim).

        Raises
        ------
        ValueError
            If an edge is not a multiple of 16 patches.
        """
        if any(edge % self.edge_multiple for edge in crops.shape[2:]):
            raise ValueError(
                f"edges {tuple(crops.shape[2:])} must be multiples of {self.edge_multiple}"
            )
        tokens: Tensor = self.patch_embed(crops)
        for stage in self.stages:
            tokens = stage(tokens)
        return tokens

    @property
    def stages(self) -> list["Stage"]:
        """The four stages, finest first."""
        layers = self.layers1, self.layers2, self.layers3, self.layers4
        return [cast("Stage", layer[0]) for layer in layers]

    def lay_out(self, edge: int) -> None:
        """Lay out the windows of a cubic crop: `torch.compile` cannot while it traces."""
        tokens = edge // self.patch
        for stage in self.stages:
            for block in stage.blocks:
                cast("Block", block).grid((tokens, tokens, tokens))
            tokens //= 2


class PatchEmbedding(nn.Module):
    """The strided convolution of patches, as the linear layer that it is."""

    def __init__(self, architecture: Architecture, *, channels: int) -> None:
        super().__init__()
        patch = architecture.patch
        self.proj = nn.Conv3d(channels, architecture.embed_dim, patch, stride=patch)

    def forward(self, crops: Tensor) -> Tensor:
        """Return tokens: (B, channels, D, H, W) to (B, D/2, H/2, W/2, dim)."""
        batch, channels, *edges = crops.shape
        edge = self.proj.kernel_size[0]
        cut = [size for whole in edges for size in (whole // edge, edge)]
        cubes = crops.reshape(batch, channels, *cut)
        patches = cubes.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4)
        return functional.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


class Stage(nn.Module):
    """Blocks, every second one with shifted windows, and the merging of 2 × 2 × 2 tokens."""

    def __init__(self, architecture: Architecture, place: int, *, octants: Octants) -> None:
        super().__init__()
        dim, window = architecture.embed_dim * 2**place, architecture.window
        self.blocks = nn.ModuleList(
            Block(dim, heads=architecture.heads[place], window=window, shifted=index % 2 == 1)
            for index in range(architecture.depths[place])
        )
        self.downsample = PatchMerging(dim, octants=octants)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the merged tokens: (B, D, H, W, C) to (B, D/2, H/2, W/2, 2C)."""
        for block in self.blocks:
            tokens = block(tokens)
        merged: Tensor = self.downsample(tokens)
        return merged


class Block(nn.Module):
    """Attention in windows, then a perceptron for each token, both added to what came in."""

    def __init__(self, dim: int, *, heads: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.shifted = shifted
        self.norm1 = nn.LayerNorm(dim)
        self.attn = WindowAttention(dim, heads=heads, window=window)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Perceptron(dim)
        # By the shape of the grid. In a module they move to the parameters' device and type.
        self.grids = nn.ModuleDict()

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens that have seen their window: (B, D, H, W, C), as they came in."""
        depth, height, width = tokens.shape[1:4]
        tokens = tokens + self.attn(self.norm1(tokens), self.grid((depth, height, width)))
        refined: Tensor = tokens + self.mlp(self.norm2(tokens))
        return refined

    def grid(self, shape: Shape) -> "WindowGrid":
        """Return how tokens (D, H, W) go into windows; laid out once per shape."""
        name = "x".join(map(str, shape))
        if name not in self.grids:
            # What is laid out for inference may be needed in training.
            with torch.inference_mode(mode=False):
                grid = WindowGrid(shape, window=self.attn.window, shifted=self.shifted)
                self.grids[name] = grid.to(self.norm1.weight.device, self.norm1.weight.dtype)
        return cast("WindowGrid", self.grids[name])


class Perceptron(nn.Module):
    """Two linear layers, four times as wide between them."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 4 * dim)
        self.linear2 = nn.Linear(4 * dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape, (..., C)."""
        refined: Tensor = self.linear2(functional.gelu(self.linear1(tokens)))
        return refined


class WindowAttention(nn.Module):
    """Attention among the tokens of a window, biased by where they stand to each other."""

    def __init__(self, dim: int, *, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 3, heads))
        self.relative_position_index: Tensor
        self.register_buffer("relative_position_index", relative_positions(window))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        with torch.no_grad():
            # Normal, standard deviation 0.02, by inversion: the draws that MONAI makes.
            table = self.relative_position_bias_table.uniform_(-1, 1)
            table.erfinv_().mul_(0.02 * math.sqrt(2)).clamp_(-2, 2)
        self._kept: tuple[tuple[object, ...], list[Tensor]] | None = None

    def forward(self, tokens: Tensor, grid: "WindowGrid") -> Tensor:
        """Return what each token takes from its window: (B, D, H, W, C), as they came in."""
        windows: Tensor = self.qkv(grid.windows(tokens))
        split = windows.reshape(*windows.shape[:2], 3, self.heads, -1)
        kinds = split.split_with_sizes([count * len(tokens) for count in grid.counts])
        biases = self.biases(grid, split.dtype)
        mixed = [attended(kind, bias) for kind, bias in zip(kinds, biases, strict=True)]
        taken = torch.cat(mixed) if len(mixed) > 1 else mixed[0]
        found: Tensor = self.proj(grid.tokens(taken.flatten(2), len(tokens)))
        return found

    def biases(self, grid: "WindowGrid", dtype: torch.dtype) -> list[Tensor]:
        """Return what is added to the scores: (1, heads, n, n) for each kind of window.

        Frozen tables are read once for a grid; a compiled graph reads them by itself.
        """
        table = self.relative_position_bias_table
        if table.requires_grad or torch.compiler.is_compiling() or table.is_inference():
            return self._biases(grid, dtype)
        # The version counts writes in place: optimiser steps, loaded weights. Tensors that were
        # made for inference have none.
        key = (grid.shape, table.device, dtype, table.data_ptr(), table._version)
        if self._kept is None or self._kept[0] != key:
            with torch.inference_mode(mode=False), torch.no_grad():
                self._kept = (key, self._biases(grid, dtype))
        return self._kept[1]

    def _biases(self, grid: "WindowGrid", dtype: torch.dtype) -> list[Tensor]:
        # A window smaller than the network's takes the first rows and columns of the index of
        # the whole one, so its offsets are not the true ones; trained weights have learnt them.
        size = grid.window_tokens
        index = self.relative_position_index[:size, :size]
        table = functional.embedding(index, self.relative_position_bias_table)
        bias = table.permute(2, 0, 1).contiguous()
        return [(bias + mask).to(dtype).unsqueeze(0) for mask in grid.masks.unbind()]


def attended(windows: Tensor, bias: Tensor) -> Tensor:
    """Let the tokens of each window attend to one another.

    Parameters
    ----------
    windows
        Queries, keys and values, (windows, n, 3, heads, C/heads).
    bias
        Added to the scores, (1, heads, n, n).

    Returns
    -------
    Tensor
        (windows, n, heads, C/heads).
    """
    queries, keys, values = windows.permute(2, 0, 3, 1, 4)
    if bias.requires_grad and bias.device.type == "cpu":
        # Torch has no fused attention with a gradient of the bias here, and its fallback looks
        # for rows without any key, which windows do not have.
        scale = queries.shape[-1] ** -0.5
        scores = (queries * scale) @ keys.transpose(-2, -1) + bias
        mixed = scores.softmax(dim=-1) @ values
    else:
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
    found: Tensor = mixed.transpose(1, 2)
    return found


class PatchMerging(nn.Module):
    """Eight tokens of a cube side by side, normalised and reduced to twice the channels.

    Parameters
    ----------
    dim
        Channels of a token.
    octants
        Which tokens of the cube, in which order. The two mergings have the same parameters,
        so that weights load into either, and only one of the two computes what was trained.
    """

    def __init__(self, dim: int, *, octants: Octants) -> None:
        super().__init__()
        self.octants = octants
        self.reduction = nn.Linear(8 * dim, 2 * dim, bias=False)
        self.norm = nn.LayerNorm(8 * dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Merge 2 × 2 × 2 tokens: (B, D, H, W, C) to (B, D/2, H/2, W/2, 2C)."""
        batch, depth, height, width, dim = tokens.shape
        cubes = tokens.reshape(batch, depth // 2, 2, height // 2, 2, width // 2, 2, dim)
        # Not by slices, whose gradients are as many tensors of zeros as large as the tokens.
        cut = [[row.unbind(4) for row in half.unbind(3)] for half in cubes.unbind(2)]
        chosen = [cut[i][j][k] for i, j, k in self.octants]
        merged: Tensor = self.reduction(self.norm(torch.cat(chosen, dim=-1)))
        return merged


class WindowGrid(nn.Module):
    """How the tokens of a grid go into attention windows, and back.

    Windows that need the same mask stand together: those inside of the grid first, which need
    none, then those at the end of one or more axes, where the cyclic shift brings tokens
    together that are none of each other's business. The batch comes after the window, so that
    each kind is one slice. Where the windows do not tile the grid they are filled up with zeros:
    MONAI's padded tokens, which are keys and values like all others.

    Parameters
    ----------
    shape
        Tokens of the grid (D, H, W).
    window
        Edge of a window. An axis that is no longer has one window, of its own length, that
        does not shift.
    shifted
        Whether windows shift by half of their edge.

    Attributes
    ----------
    counts
        Windows of each kind.
    source
        int64 (windows, n): which token stands at a place of a window; any where none does.
    blank
        int64 (2, m): windows and places in them where no token stands.
    target
        int64 (2, D · H · W): window and place of each token.
    masks
        (kinds, 1, n, n): 0 within a region, `APART` between regions.
    """

    source: Tensor
    blank: Tensor
    target: Tensor
    masks: Tensor

    def __init__(self, shape: Shape, *, window: int, shifted: bool) -> None:
        super().__init__()
        self.shape = shape
        edges = [min(size, window) for size in shape]
        shifts = [window // 2 if shifted and size > window else 0 for size in shape]
        laid = [_axis(*axis) for axis in zip(shape, edges, shifts, strict=True)]
        places, lasts, tails = (_joined(said) for said in zip(*laid, strict=True))
        bits = torch.tensor([1, 2, 4]).reshape(3, 1, 1)
        # By window, the axes that need a mask; by place, the axes that it is at the end of.
        kind, tail = ((said * bits).sum(dim=0).flatten() for said in (lasts, tails))
        counts = kind.bincount()
        kinds = counts.nonzero()
        self.counts: list[int] = counts[counts > 0].tolist()
        self.window_tokens = math.prod(edges)
        places = places[:, kind.argsort(stable=True)]
        stands = (places < torch.tensor(shape).reshape(3, 1, 1)).all(dim=0)
        steps = torch.tensor([shape[1] * shape[2], shape[2], 1]).reshape(3, 1, 1)
        source = (places * steps).sum(dim=0).masked_fill(~stands, 0)
        target = stands.nonzero()[source[stands].argsort()]
        regions = kinds & tail
        apart = regions.unsqueeze(2) != regions.unsqueeze(1)
        self.register_buffer("source", source, persistent=False)
        self.register_buffer("blank", (~stands).nonzero().T, persistent=False)
        self.register_buffer("target", target.T, persistent=False)
        self.register_buffer(
            "masks", torch.where(apart, APART, 0.0).unsqueeze(1), persistent=False
        )

    def windows(self, tokens: Tensor) -> Tensor:
        """Take tokens (B, D, H, W, C) into their windows: (windows · B, n, C)."""
        source, blank, target = self._places(len(tokens))
        rows = _moved(tokens.flatten(0, 3), source, blank, target, blank[:0])
        return rows.reshape(-1, self.window_tokens, tokens.shape[-1])

    def tokens(self, windows: Tensor, batch: int) -> Tensor:
        """Take windows (windows · B, n, C) apart into tokens (B, D, H, W, C)."""
        source, blank, target = self._places(batch)
        rows = _moved(windows.flatten(0, 1), target, blank[:0], source, blank)
        return rows.reshape(batch, *self.shape, windows.shape[-1])

    def _places(self, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return source, blank and target as row numbers of a whole batch, (M,) each."""
        crop = torch.arange(batch, device=self.source.device).unsqueeze(1)
        blank, target = (
            ((window * batch + crop) * self.window_tokens + place).flatten()
            for window, place in (self.blank, self.target)
        )
        source = self.source.unsqueeze(1) + crop * self.target.shape[1]
        return source.flatten(), blank, target


class _Moved(torch.autograd.Function):
    """Rows taken to other places; their gradients come back the same way, without a sum."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, *places: Tensor) -> Tensor:  # noqa: ANN401  # torch's
        source, blank, _, _ = places
        ctx.save_for_backward(*places)
        return rows.index_select(0, source).index_fill_(0, blank, 0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        source, blank, target, target_blank = ctx.saved_tensors
        back = _moved(gradient, target, target_blank, source, blank)
        return back, None, None, None, None


def _moved(rows: Tensor, *places: Tensor) -> Tensor:
    """Take rows (N, C) to other places (M, C).

    Parameters
    ----------
    places
        Which row comes to a place (M,), which places stay zero; then the same of the way back.
    """
    moved: Tensor = _Moved.apply(rows, *places)  # type: ignore[no-untyped-call]
    return moved


def relative_positions(window: int) -> Tensor:
    """Return which entry of the table a pair of tokens takes: int64 (window³, window³)."""
    along = torch.arange(window)
    places = torch.cartesian_prod(along, along, along)
    offsets = places.unsqueeze(1) - places + window - 1
    width = 2 * window - 1
    return (offsets * torch.tensor([width * width, width, 1])).sum(dim=2)


def _axis(size: int, edge: int, shift: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lay windows along one axis.

    Returns
    -------
    tuple
        Which token stands at a place (windows, edge); 1 where a window needs a mask
        (windows, 1); 1 where a place of such a window comes from the other end of the axis
        (1, edge).
    """
    count = math.ceil(size / edge)
    places = ((torch.arange(count * edge) + shift) % (count * edge)).reshape(count, edge)
    last = (torch.arange(count) == count - 1) & (shift > 0)
    tail = torch.arange(edge) >= edge - shift
    return places, last.long().unsqueeze(1), tail.long().unsqueeze(0)


def _joined(axes: Sequence[Tensor]) -> Tensor:
    """Join what the axes say, (windows, edge) each: (3, windows of all axes, places of all)."""
    whole = [axis.shape[0] for axis in axes] + [axis.shape[1] for axis in axes]
    spread = []
    for i, axis in enumerate(axes):
        along = [size if place % 3 == i else 1 for place, size in enumerate(whole)]
        spread.append(axis.reshape(along).expand(whole))
    return torch.stack(spread).flatten(4).flatten(1, 3)
