"""The pieces of a network, from which its cost is counted and its latency is predicted."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .notation import EDGES, knob_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.networks import Piece

STAGES = 3
_NOTHING = "skip_connect"
"""The operation that runs no operator and has no parameter."""

_SAME_MEMORY = {"nor_conv_1x1": "nor_conv_3x3"}
"""Operations that need as much memory for activations as another one."""


def network_pieces(
    operations: Mapping[str, str],
    *,
    build: Callable[[Mapping[str, str]], nn.Module],
    image_size: int,
    channels: int,
    cells: int,
) -> list[Piece]:
    """Return the pieces of a network.

    Every cell runs each of its operations once. So the network is one whose cells have no operations, plus the
    operations of all cells. The memory depends on which operations follow each other. It is largest in the first stage,
    whose feature maps are twice as large as those of the second.

    Args:
        operations: Operations of the cell by the name of their knob.
        build: Makes the whole network of given operations.
        image_size: Height and width of an image.
        channels: Channels of the first stage.
        cells: Cells of a stage.
    """
    from denas_core.networks import Piece

    nothing = {knob_of(*edge): _NOTHING for edge in EDGES}
    alike = {name: _SAME_MEMORY.get(operation, operation) for name, operation in operations.items()}
    # From the second cell on, the input of the first one is in memory too.
    some = min(cells, 2)
    counts = Counter(operation for operation in operations.values() if operation != _NOTHING)
    return [
        Piece(key="rest", build=lambda: build(nothing)),
        Piece(
            key=("cell", *alike.values()),
            build=functools.partial(_beginning, alike, channels=channels, cells=some),
            count=0,
            inputs=functools.partial(_map, channels=3, side=image_size),
        ),
        *(
            Piece(
                key=(operation, stage),
                build=functools.partial(_operation, operation, channels=channels * 2**stage),
                count=cells * count,
                inputs=functools.partial(_map, channels=channels * 2**stage, side=image_size // 2**stage),
                part="trunk",
            )
            for operation, count in counts.items()
            for stage in range(STAGES)
        ),
    ]


def _beginning(operations: Mapping[str, str], *, channels: int, cells: int) -> nn.Module:
    from torch import nn

    from .network import Cell, stem

    return nn.Sequential(stem(channels), nn.Sequential(*(Cell(operations, channels) for _ in range(cells))))


def _operation(operation: str, *, channels: int) -> nn.Module:
    from .network import operation_module

    return operation_module(operation, channels)


def _map(size: int, *, channels: int, side: int) -> tuple[Tensor, ...]:
    import torch

    return (torch.empty(size, channels, side, side),)
