"""Skeletons: the fixed slots of the CNN space, with the choices each offers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """The place of one residual super-block.

    Attributes:
        stride: Stride of its first sub-layer.
        channels: Choices of the channels that go out.
        bottleneck: Choices of the channels inside.
    """

    stride: int
    channels: tuple[int, ...]
    bottleneck: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Skeleton:
    """A 3x3 convolution, residual slots, and a 1x1 convolution.

    Attributes:
        stem_stride: Stride of the first convolution.
        stem_channels: Choices of its channels.
        slots: The places between.
        final_channels: Choices of the channels of the last convolution.
    """

    stem_stride: int
    stem_channels: tuple[int, ...]
    slots: tuple[Slot, ...]
    final_channels: tuple[int, ...]


# Bottlenecks start at half the narrowest output or less (a third where the stride is 2) and end below the widest one:
# only then has the first type of block the fewest parameters and FLOPs at the lower end, and the last the most at the
# upper. With squeeze-and-excitation no network has both: gates, which grow with the square of their width, cost many
# parameters and next to no FLOPs. The lower end then has up to 2 % too many parameters, and with inverted blocks the
# upper one up to 16 % too few; FLOPs are those of the ends except on images of a few pixels.
SKELETONS: Mapping[str, Skeleton] = MappingProxyType(
    {
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
