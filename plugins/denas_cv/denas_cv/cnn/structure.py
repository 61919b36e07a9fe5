"""Super-blocks as values: a structure string lists them, and a network is built from them."""

from __future__ import annotations

import dataclasses
from typing import Literal

Family = Literal["conv", "basic", "bottleneck", "inverted"]
"""``conv``: convolution, norm, ReLU; ``basic``: residuals of two k x k convolutions; ``bottleneck``: residuals of 1x1,
k x k, 1x1; ``inverted``: residuals of 1x1, depth-wise k x k, 1x1. The last two have two residuals in each sub-layer."""


@dataclasses.dataclass(frozen=True, slots=True)
class BlockType:
    """A kind of super-block.

    Attributes:
        name: Its name in structure strings, such as ``SuperResK1K3K1``.
        family: The family; see `Family`.
        kernel: Size of the kernels that are not 1x1.
        expansion: Width of an inverted residual relative to its output.
    """

    name: str
    family: Family
    kernel: int
    expansion: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """A super-block: sub-layers of one type, the first of which changes channels and resolution.

    Attributes:
        type: Kind of block.
        in_channels: Number of input channels.
        out_channels: Number of output channels.
        stride: Stride of the first sub-layer.
        bottleneck: Number of channels between the convolutions of a residual; 0 for the family ``conv``.
        layers: Number of sub-layers.
    """

    type: BlockType
    in_channels: int
    out_channels: int
    stride: int
    bottleneck: int
    layers: int


PREFIX = "SuperRes"
"""The prefix of residual types in structure strings; values of knobs leave it out."""

SEARCHED_TYPES = (
    *("IDWE1K3", "IDWE1K5", "IDWE1K7", "IDWE2K3", "IDWE2K5", "K1K3K1", "IDWE2K7", "K3K3", "IDWE4K3"),
    *("IDWE4K5", "IDWE4K7", "K1K5K1", "IDWE6K3", "IDWE6K5", "IDWE6K7", "K5K5", "K1K7K1", "K7K7"),
)
"""Residual types, ordered by their number of parameters with a bottleneck of half the output's width."""


def _block_types() -> dict[str, BlockType]:
    types = [BlockType(f"SuperConvK{kernel}BNRELU", "conv", kernel) for kernel in (1, 3, 5, 7)]
    types += [BlockType(f"{PREFIX}K{kernel}K{kernel}", "basic", kernel) for kernel in (3, 5, 7)]
    types += [BlockType(f"{PREFIX}K1K{kernel}K1", "bottleneck", kernel) for kernel in (3, 5, 7)]
    types += [
        BlockType(f"{PREFIX}IDWE{expansion}K{kernel}", "inverted", kernel, expansion)
        for expansion in (1, 2, 4, 6)
        for kernel in (3, 5, 7)
    ]
    return {type.name: type for type in types}


BLOCK_TYPES = _block_types()
"""All block types by name."""
