"""Residual units: the parts of super-blocks, described once for building networks and for counting their cost."""

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
    """A body plus a shortcut, followed by ReLU.

    Attributes:
        body: Convolutions with a ReLU between consecutive ones.
        squeeze: The gate of squeeze-and-excitation, which scales the input of the body's last convolution; empty if
            there is none.
        residual: Whether there is a shortcut.
        projection: The convolution on the shortcut; None for the identity.
    """

    body: tuple[Convolution, ...]
    squeeze: tuple[Convolution, ...] = ()
    residual: bool = False
    projection: Convolution | None = None


def units(block: Block, *, residual: bool = True, squeeze_excitation: bool = False) -> Iterator[Unit]:
    """Yield the units of `block`: two for each sub-layer of bottleneck and inverted types, one for other types.

    Args:
        block: The block.
        residual: Whether units of residual types have shortcuts.
        squeeze_excitation: Whether units of residual types have squeeze-and-excitation.
    """
    channels, stride, first = block.in_channels, block.stride, True
    for width, out_channels in _widths(block) * block.layers:
        # The first unit of a block has a convolution on its shortcut even if the shapes agree.
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
