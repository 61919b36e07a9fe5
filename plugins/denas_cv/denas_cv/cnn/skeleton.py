"""Skeletons: the fixed slots of the CNN space and the choices in each slot."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """A slot for one residual super-block.

    Attributes:
        stride: Stride of its first sub-layer.
        channels: Choices of the number of output channels.
        bottleneck: Choices of the number of inner channels.
    """

    stride: int
    channels: tuple[int, ...]
    bottleneck: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Skeleton:
    """A 3x3 convolution, residual slots, and a 1x1 convolution.

    Attributes:
        stem_stride: Stride of the first convolution.
        stem_channels: Choices of its number of channels.
        slots: The slots between the two convolutions.
        final_channels: Choices of the number of channels of the last convolution.
    """

    stem_stride: int
    stem_channels: tuple[int, ...]
    slots: tuple[Slot, ...]
    final_channels: tuple[int, ...]


# The smallest bottleneck is at most half of the narrowest output (a third if the stride is 2), and the largest is below
# the widest output. Only then does the first block type have the fewest parameters and FLOPs at the lower end of the
# choices, and the last type the most at the upper end. With squeeze-and-excitation, no network has both extremes: the
# gates grow with the square of their width and so have many parameters, but almost no FLOPs. The network at the lower
# end then has up to 2 % more parameters than the smallest network, and with inverted blocks the one at the upper end
# has up to 16 % fewer than the largest; the FLOPs are the extremes except on images of a few pixels.
SKELETONS: Mapping[str, Skeleton] = MappingProxyType(
    {
        "micro": Skeleton(
            stem_stride=1,
            stem_channels=(8, 16, 24),
            slots=(
                Slot(2, (24, 32), (8, 16)),
                Slot(2, (32, 48), (8, 16)),
                Slot(1, (32, 48, 64), (8, 16, 24)),
                Slot(2, (64, 96, 128), (16, 24, 32, 48)),
            ),
            final_channels=(64, 128, 192, 256),
        ),
        "cifar": Skeleton(
            stem_stride=1,
            stem_channels=(8, 16, 24, 32),
            slots=(
                Slot(1, (16, 24, 32), (8, 16)),
                Slot(2, (16, 24, 32, 48), (8, 16, 24, 32)),
                Slot(2, (32, 48, 64, 96), (8, 16, 24, 32, 48, 64)),
                Slot(2, (64, 96, 128, 192, 256), (16, 24, 32, 48, 64, 96, 128)),
            ),
            final_channels=(64, 128, 256, 512),
        ),
        "imagenet": Skeleton(
            stem_stride=2,
            stem_channels=(8, 16, 24, 32, 48, 64),
            slots=(
                Slot(2, (24, 32, 48, 64, 96), (8, 16, 24, 32, 48)),
                Slot(2, (32, 48, 64, 96, 128, 192), (8, 16, 24, 32, 48, 64, 96)),
                Slot(2, (64, 96, 128, 192, 256, 384), (16, 24, 32, 48, 64, 96, 128)),
                Slot(1, (64, 96, 128, 192, 256, 384), (16, 24, 32, 48, 64, 96, 128)),
                Slot(2, (128, 192, 256, 384, 512, 768), (32, 48, 64, 96, 128, 192, 256)),
            ),
            final_channels=(256, 512, 768, 1024, 1536, 2048),
        ),
    }
)
