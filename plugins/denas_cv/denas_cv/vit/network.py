"""The network of an architecture: patches, transformer blocks, pooling and a head."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import initialise

from .attention import Attention
from .positions import PatchGrid, table_rows

WEIGHT_STD = 0.02
NORM_EPS = 1e-5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes and options of a network.

    Attributes:
        channels: Number of channels of the images.
        side: Number of patches in a row and in a column.
        patch_size: Height and width of a patch, in pixels.
        width: Number of features of a token.
        layers: For each block: heads, features of a head, hidden features of the feed-forward layer.
        max_distance: Longest distance, in patches, that relative positions distinguish; longer ones count as this. None
            for a network without relative positions.
        absolute_position: Whether tokens have learned absolute positions.
        global_pooling: Whether the head takes the mean of the patches; otherwise it takes the class token.
        residual: Whether blocks have residual connections.
        drop_path: Probability that training skips a half of the last block; it is lower for earlier blocks.
    """

    channels: int
    side: int
    patch_size: int
    width: int
    layers: Sequence[tuple[int, int, int]]
    max_distance: int | None
    absolute_position: bool
    global_pooling: bool
    residual: bool
    drop_path: float


class VisionTransformer(nn.Module):
    """A vision transformer.

    Args:
        shape: Sizes and options.
        head: Module that takes (samples, width).
    """

    def __init__(self, shape: Shape, head: nn.Module) -> None:
        super().__init__()
        self.side = shape.side
        self.max_distance = shape.max_distance
        self.global_pooling = shape.global_pooling
        self.embedding = Embedding(shape)
        rows = 0 if shape.max_distance is None else table_rows(shape.max_distance)
        last = max(1, len(shape.layers) - 1)
        self.blocks = nn.ModuleList(
            Block(
                Attention(shape.width, heads, head_size, table_rows=rows),
                FeedForward(shape.width, hidden),
                width=shape.width,
                residual=shape.residual,
                drop_path=shape.drop_path * index / last,
            )
            for index, (heads, head_size, hidden) in enumerate(shape.layers)
        )
        self.norm = nn.LayerNorm(shape.width, eps=NORM_EPS)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return the head's output for images (samples, channels, height, width)."""
        return cast("Tensor", self.head(self.pool(self.tokens(x))))

    def tokens(self, x: Tensor) -> Tensor:
        """Return the tokens after the last norm, (samples, 1 + patches, width); the class token is first."""
        x = self.embedding(x)
        grid = None
        if self.max_distance is not None:
            grid = PatchGrid.like(x, side=self.side, max_distance=self.max_distance)
        for block in self.blocks:
            x = block(x, grid)
        return cast("Tensor", self.norm(x))

    def pool(self, tokens: Tensor) -> Tensor:
        """Return (samples, width): the mean of the patches, or the class token."""
        return tokens[:, 1:].mean(1) if self.global_pooling else tokens[:, 0]


class Embedding(nn.Module):
    """Turns an image into a class token and a token for each patch, with learned positions if `shape` has them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.patches = nn.Conv2d(shape.channels, shape.width, shape.patch_size, stride=shape.patch_size)
        self.class_token = nn.Parameter(torch.empty(1, 1, shape.width))
        self.positions = (
            nn.Parameter(torch.empty(1, 1 + shape.side**2, shape.width)) if shape.absolute_position else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, 1 + patches, width)."""
        patches = self.patches(x).flatten(2).transpose(1, 2)
        token = self.class_token.to(patches.dtype).expand(patches.shape[0], -1, -1)
        tokens = torch.cat([token, patches], 1)
        return tokens if self.positions is None else tokens + self.positions


class Block(nn.Module):
    """Attention and a feed-forward layer, each after a layer norm."""

    def __init__(
        self, attention: Attention, feed_forward: FeedForward, *, width: int, residual: bool, drop_path: float
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.attention = attention
        self.feed_forward_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.feed_forward = feed_forward
        self.residual = residual
        self.drop_path = drop_path

    def forward(self, x: Tensor, grid: PatchGrid | None) -> Tensor:
        """Return (samples, tokens, width)."""
        x = self._add_residual(x, self.attention(self.attention_norm(x), grid))
        return self._add_residual(x, self.feed_forward(self.feed_forward_norm(x)))

    def _add_residual(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.residual:
            return y
        if self.training and self.drop_path:
            # Stochastic depth (Huang et al. 2016, arXiv:1603.09382), drawn for each sample and scaled to keep the mean.
            keep = 1.0 - self.drop_path
            y = y * (y.new_empty(y.shape[0], 1, 1).bernoulli_(keep) / keep)
        return x + y


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, tokens, width)."""
        return cast("Tensor", self.fc2(F.gelu(self.fc1(x))))


def initialise_network(model: VisionTransformer, *, seed: int) -> VisionTransformer:
    """Move `model` to the CPU and give it fresh weights; the global random generator is not changed.

    Linear layers, tokens, positions and tables are normal with standard deviation 0.02, and biases are 0. AutoFormer's
    truncated normal is the same in practice, because it is cut at 100 standard deviations. Norms are the identity. As
    in AutoFormer, the patch embedding is initialised as `torch.nn.Conv2d`. A head that is not linear has its own
    initialisation.
    """
    generator = torch.Generator().manual_seed(seed)
    trunk = (model.embedding, model.blocks, model.norm)
    with torch.no_grad():
        for part in trunk:
            part.to_empty(device="cpu")
            for module in part.modules():
                _draw(module, generator)
        initialise(model.head, seed=seed)
        if isinstance(model.head, nn.Linear):
            _draw(model.head, generator)
    return model


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    """Give fresh values to the parameters that belong directly to `module`."""
    if isinstance(module, nn.LayerNorm):
        module.reset_parameters()
        return
    bound = math.prod(module.weight.shape[1:]) ** -0.5 if isinstance(module, nn.Conv2d) else None
    for name, parameter in module.named_parameters(recurse=False):
        if bound is not None:
            parameter.uniform_(-bound, bound, generator=generator)
        elif name == "bias":
            parameter.zero_()
        else:
            parameter.normal_(0.0, WEIGHT_STD, generator=generator)
