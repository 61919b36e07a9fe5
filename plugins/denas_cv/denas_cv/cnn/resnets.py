"""ResNets of many sizes in the notation of the space, for comparison with networks that were searched."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator

from denas_core import Architecture, SearchSpace

STAGES = (3, 4)
MOST_BLOCKS = 8
WIDTHS = range(8, 513)


def resnets_of_size(space: SearchSpace, params: float, *, channels: int) -> Iterator[Architecture]:
    """Yield ResNets with about so many parameters.

    They have three or four stages with an equal number of basic blocks, as in ResNet-18 and the ResNets for CIFAR. Each
    stage doubles the width and halves the resolution. The first stage keeps the resolution, or halves it.

    Args:
        space: The space.
        params: The wanted number of parameters.
        channels: Channels of the images.
    """
    for stages, blocks, stride in itertools.product(STAGES, range(1, MOST_BLOCKS + 1), (1, 2)):

        def size(width: int, shape: tuple[int, int, int] = (stages, blocks, stride)) -> float:
            return space.cost(resnet(space, channels, width, *shape))["params"]

        place = bisect.bisect_right(WIDTHS, params, key=size)
        for width in WIDTHS[max(place - 1, 0) : place + 1]:
            yield resnet(space, channels, width, stages, blocks, stride)


def resnet(
    space: SearchSpace, channels: int, width: int, stages: int, blocks: int, stride: int
) -> Architecture:
    """Return the ResNet whose first stage has `width` channels and this stride."""
    text = [f"SuperConvK3BNRELU({channels},{width},1,1)"]
    before = width
    for stage in range(stages):
        after = width * 2**stage
        text.append(f"SuperResK3K3({before},{after},{2 if stage else stride},{after},{blocks})")
        before = after
    return space.parse("".join(text))
