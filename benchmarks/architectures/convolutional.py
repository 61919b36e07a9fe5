"""ResNets of many sizes in the notation of ``cv/cnn``."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, cast

from denas_core import Architecture, SearchSpace

from .sizes import networks_near

MOST_BLOCKS = 4
MOST_EQUAL_BLOCKS = 8
WIDTHS = range(1, 513)
GROWTHS = {2.0: 0, 1.5: 10}
"""How much wider a stage is than the one before, and what that adds to the tier."""

RESNET_34 = ((3, 4, 6), (3, 4, 6, 3))


def residual_networks(
    space: SearchSpace, params: float, flops: float
) -> Iterator[tuple[int, SearchSpace, Architecture]]:
    """Yield ResNets of basic blocks with about `params` parameters, with their tier.

    A network has a 3x3 convolution, three or four stages that each double the width and halve the resolution, pooling
    and a classifier. The first stage keeps the resolution, as for CIFAR, or halves it. Tiers: 0 for equal stages, as in
    ResNet-18 and the ResNets for CIFAR, and for the stages of ResNet-34; 1 to 3 if the numbers of blocks grow or shrink
    from stage to stage and differ by so many; 10 more if a stage is only half as much wider than the one before.
    """
    for (growth, distance), stages, stride in itertools.product(GROWTHS.items(), (3, 4), (1, 2)):
        for blocks in blocks_of_stages(stages):
            tier = 0 if blocks in RESNET_34 else max(blocks) - min(blocks)
            network = functools.partial(resnet, space, blocks, stride, growth)
            for arch in networks_near(space, network, WIDTHS, params):
                yield tier + distance, space, arch


def blocks_of_stages(stages: int) -> list[tuple[int, ...]]:
    """Return the numbers of blocks of each stage that ResNets may have."""
    growing = list(itertools.combinations_with_replacement(range(1, MOST_BLOCKS + 1), stages))
    equal = [(blocks,) * stages for blocks in range(1, MOST_EQUAL_BLOCKS + 1)]
    of_resnet_34 = [blocks for blocks in RESNET_34 if len(blocks) == stages]
    return list(dict.fromkeys([*equal, *of_resnet_34, *growing, *(blocks[::-1] for blocks in growing)]))


def resnet(
    space: SearchSpace, blocks: Sequence[int], first_stride: int, growth: float, width: int
) -> Architecture:
    """Return a ResNet whose first stage has `width` channels."""
    channels = cast("Any", space).channels
    text = [f"SuperConvK3BNRELU({channels},{width},1,1)"]
    before = width
    for stage, count in enumerate(blocks):
        after = max(1, round(width * growth**stage))
        text.append(f"SuperResK3K3({before},{after},{2 if stage else first_stride},{after},{count})")
        before = after
    return space.parse("".join(text))
