"""The pieces of a network, from which its latency is predicted: residual units, and the head."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .units import Unit

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.networks import Piece


def network_pieces(units: Sequence[Unit], *, image_size: int, classes: int) -> list[Piece]:
    """Return the pieces of a network.

    Args:
        units: The units of all blocks, in their order.
        image_size: Height and width of an image.
        classes: Number of outputs of the head.
    """
    from denas_core.networks import Piece

    counts: Counter[tuple[Unit, int]] = Counter()
    side = image_size
    for unit in units:
        counts[unit, side] += 1
        side = _side_after(unit, side)
    channels = units[-1].body[-1].out_channels
    return [
        *(
            Piece(
                key=key,
                build=functools.partial(_unit, key[0]),
                count=count,
                inputs=functools.partial(_inputs, channels=key[0].body[0].in_channels, side=key[1]),
            )
            for key, count in counts.items()
        ),
        Piece(
            key=("head", channels, side),
            build=functools.partial(_head, channels, classes),
            inputs=functools.partial(_inputs, channels=channels, side=side),
        ),
    ]


def _side_after(unit: Unit, side: int) -> int:
    for convolution in unit.body:
        padding = (convolution.kernel - 1) // 2
        side = (side + 2 * padding - convolution.kernel) // convolution.stride + 1
    return side


def _unit(unit: Unit) -> nn.Module:
    from .blocks import UnitModule

    return UnitModule(unit)


def _head(channels: int, classes: int) -> nn.Module:
    from torch import nn

    from .network import ResidualNetwork

    return ResidualNetwork((), nn.Linear(channels, classes))


def _inputs(size: int, *, channels: int, side: int) -> tuple[Tensor, ...]:
    import torch

    return (torch.empty(size, channels, side, side),)
