"""Residual units: what a super-block consists of, written once for building it and for counting it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from .structure import Block, BlockType

SQUEEZE_RATIO = 0.25


@dataclasses.dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with padding (kernel - 1) // 2 and the batch norm that follows it."""

    in_channels: int
    out_channels: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    bias: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """ReLU of a body plus a shortcut.

    Attributes:
        body: Convolutions with a ReLU between each two.
        squeeze: The gate of squeeze-and-excitation, which scales the input of the last convolution of the body; empty
            where there is none.
        residual: Whether there is a shortcut.
        projection: What the input passes on the shortcut, if there is one; None for the identity.
    """

    body: tuple[Convolution, ...]
    squeeze: tuple[Convolution, ...] = ()
    residual: bool = False
    projection: Convolution | None = None


def units(block: Block, *, residual: bool = True, squeeze_excitation: bool = False) -> Iterator[Unit]:
    """Yield the units of `block`: two a sub-layer for bottleneck and inverted types, else one.

    Args:
        block: What to expand.
        residual: Whether units have shortcuts, where the type has them.
        squeeze_excitation: Whether the units of residual types have it.
    """
    channels, stride, first = block.in_channels, block.stride, True
    for width, out_channels in _widths(block) * block.layers:
        # The first unit of a block projects its shortcut even where the shapes agree.
        projects = first or channels != out_channels
        plain = block.type.family == "conv"
        yield Unit(
            _body(block.type, channels, width, out_channels, stride),
            squeeze=_gate(width) if squeeze_excitation and not plain else (),
            residual=residual and not plain,
            projection=Convolution(channels, out_channels, stride=stride, bias=True) if projects else None,
        )
        channels, stride, first = out_channels, 1, False


def _widths(block: Block) -> list[tuple[int, int]]:
    """Return the inner and outer channels of the units of one sub-layer."""
    if block.type.family == "inverted":
        outer = (block.bottleneck, block.out_channels)
        return [(_rounded(block.type.expansion * channels), channels) for channels in outer]
    return [(block.bottleneck, block.out_channels)] * (2 if block.type.family == "bottleneck" else 1)


def _rounded(channels: int) -> int:
    return max(8, round(channels / 8) * 8)


def _body(
    type: BlockType, channels: int, width: int, out_channels: int, stride: int
) -> tuple[Convolution, ...]:
    if type.family == "conv":
        return (Convolution(channels, out_channels, type.kernel, stride),)
    if type.family == "basic":
        return (
            Convolution(channels, width, type.kernel, stride),
            Convolution(width, out_channels, type.kernel),
        )
    groups = width if type.family == "inverted" else 1
    return (
        Convolution(channels, width),
        Convolution(width, width, type.kernel, stride, groups),
        Convolution(width, out_channels),
    )


def _gate(channels: int) -> tuple[Convolution, ...]:
    squeezed = max(1, round(channels * SQUEEZE_RATIO))
    return Convolution(channels, squeezed), Convolution(squeezed, channels)
