"""The network of an architecture: patches, transformer blocks, the mean of the patches, and a head."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_bench.layers import STD, Linear

from .positions import RelativeTables, Ways

PATCH = 16


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a network is made of.

    Attributes:
        side: Patches in a row, and in a column, of the largest image.
        width: Features of a token.
        layers: Of each block: heads, features of a head, features of the feed-forward layer.
        relative: Whether blocks have relative positions on keys and values.
        residual: Whether blocks add to what goes through them.
    """

    side: int
    width: int
    layers: Sequence[tuple[int, int, int]]
    relative: bool
    residual: bool = True


class VisionTransformer(nn.Module):
    """A vision transformer; it takes square images of any number of patches up to that of `shape`.

    Args:
        shape: Sizes.
        head: Takes (samples, width).
    """

    def __init__(self, shape: Shape, head: nn.Module) -> None:
        super().__init__()
        self.relative = shape.relative
        self.embedding = Embedding(shape.side, shape.width)
        self.blocks = nn.ModuleList(
            Block(shape.width, *layer, relative=shape.relative, residual=shape.residual)
            for layer in shape.layers
        )
        self.norm = nn.LayerNorm(shape.width)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head makes of images (samples, 3, height, width)."""
        return cast("Tensor", self.head(self.features(x).mean(1)))

    def features(self, x: Tensor) -> Tensor:
        """Return the patches behind the last norm, (samples, patches, width), without the class token."""
        side = x.shape[-1] // PATCH
        x = self.embedding(x, side)
        ways = Ways.of(side, x.device) if self.relative else None
        for block in self.blocks:
            x = block(x, ways)
        return cast("Tensor", self.norm(x))[:, 1:]


class Embedding(nn.Module):
    """Turns an image into a class token and a token a patch, each with a learned position."""

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        self.side = side
        self.patches = nn.Conv2d(3, width, PATCH, stride=PATCH)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + side**2, width))

    def reset_parameters(self) -> None:
        """Draw class token and positions."""
        with torch.no_grad():
            self.class_token.normal_(0.0, STD)
            self.positions.normal_(0.0, STD)

    def forward(self, x: Tensor, side: int) -> Tensor:
        """Return (samples, 1 + patches, width); a smaller image has the positions of the upper left corner."""
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(patches.shape[0], -1, -1), patches], 1)
        if side == self.side:
            return tokens + self.positions
        grid = torch.unflatten(self.positions[:, 1:], 1, (self.side, self.side))
        return tokens + torch.cat([self.positions[:, :1], grid[:, :side, :side].flatten(1, 2)], 1)


class Block(nn.Module):
    """Attention and a feed-forward layer, each behind a layer norm."""

    def __init__(
        self, width: int, heads: int, head_size: int, hidden: int, *, relative: bool, residual: bool
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, head_size, relative=relative)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.fc1 = Linear(width, hidden)
        self.fc2 = Linear(hidden, width)
        self.residual = residual

    def forward(self, x: Tensor, ways: Ways | None) -> Tensor:
        """Return (samples, tokens, width)."""
        x = self._joined(x, self.attention(self.attention_norm(x), ways))
        return self._joined(x, self.fc2(F.gelu(self.fc1(self.feed_forward_norm(x)))))

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y if self.residual else y


class Attention(nn.Module):
    """Multi-head self-attention; queries, keys and values are rows of one fused projection."""

    def __init__(self, width: int, heads: int, head_size: int, *, relative: bool) -> None:
        super().__init__()
        self.heads = heads
        self.head_size = head_size
        self.qkv = Linear(width, 3 * heads * head_size)
        self.out = Linear(heads * head_size, width)
        self.keys = RelativeTables(head_size) if relative else None
        self.values = RelativeTables(head_size) if relative else None

    def forward(self, x: Tensor, ways: Ways | None) -> Tensor:
        """Return (samples, tokens, width)."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, self.head_size)).permute(2, 0, 3, 1, 4)
        query = query * self.head_size**-0.5
        logits = query @ key.transpose(-1, -2)
        if ways is not None and self.keys is not None:
            logits = logits + torch.einsum("bhnd,nmd->bhnm", query, self.keys(ways))
        weights = logits.softmax(-1)
        y = weights @ value
        if ways is not None and self.values is not None:
            y = y + torch.einsum("bhnm,nmd->bhnd", weights, self.values(ways))
        return cast("Tensor", self.out(y.transpose(1, 2).flatten(2)))
