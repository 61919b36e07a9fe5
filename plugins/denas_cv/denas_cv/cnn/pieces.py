"""The pieces of a network, from which its latency is predicted: the layers of residual units, and the head."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .units import Convolution, Unit

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.networks import Piece


@dataclasses.dataclass(frozen=True, slots=True)
class _Activation:
    """A ReLU on maps of some channels."""

    channels: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Sum:
    """The sum of a body and its shortcut, on maps of some channels."""

    channels: int


_Layer = Convolution | _Activation | _Sum | tuple[Convolution, ...]
"""A convolution with its norm, an activation, a sum, or the two convolutions of squeeze-and-excitation."""


def network_pieces(units: Sequence[Unit], *, image_size: int, classes: int) -> list[Piece]:
    """Return the pieces of a network.

    Args:
        units: The units of all blocks, in their order.
        image_size: Height and width of an image.
        classes: Number of outputs of the head.
    """
    from denas_core.networks import Piece

    layers: Counter[tuple[_Layer, int]] = Counter()
    side = image_size
    for unit in units:
        *inner, last = unit.body
        before = side
        for convolution in inner:
            layers[convolution, side] += 1
            side = _side_after(convolution, side)
            layers[_Activation(convolution.out_channels), side] += 1
        if unit.squeeze:
            layers[unit.squeeze, side] += 1
        layers[last, side] += 1
        side = _side_after(last, side)
        layers[_Activation(last.out_channels), side] += 1
        if unit.residual:
            layers[_Sum(last.out_channels), side] += 1
            if unit.projection is not None:
                layers[unit.projection, before] += 1
    channels = units[-1].body[-1].out_channels
    return [
        *(
            Piece(
                key=key,
                build=functools.partial(_module, key[0]),
                count=count,
                inputs=functools.partial(_inputs, key[0], key[1]),
            )
            for key, count in layers.items()
        ),
        Piece(
            key=("head", channels, side),
            build=functools.partial(_head, channels, classes),
            inputs=functools.partial(_maps, channels=channels, side=side),
        ),
    ]


def _side_after(convolution: Convolution, side: int) -> int:
    padding = (convolution.kernel - 1) // 2
    return (side + 2 * padding - convolution.kernel) // convolution.stride + 1


def _module(layer: _Layer) -> nn.Module:
    from torch import nn

    from .blocks import SqueezeExcitation, Sum, convolution_layers

    if isinstance(layer, Convolution):
        return nn.Sequential(*convolution_layers(layer))
    if isinstance(layer, _Activation):
        return nn.ReLU()
    return Sum() if isinstance(layer, _Sum) else SqueezeExcitation(layer)


def _head(channels: int, classes: int) -> nn.Module:
    from torch import nn

    from .network import ResidualNetwork

    return ResidualNetwork((), nn.Linear(channels, classes))


def _inputs(layer: _Layer, side: int, size: int) -> tuple[Tensor, ...]:
    if isinstance(layer, _Sum):
        return _maps(size, channels=layer.channels, side=side) * 2
    if isinstance(layer, _Activation):
        return _maps(size, channels=layer.channels, side=side)
    first = layer if isinstance(layer, Convolution) else layer[0]
    return _maps(size, channels=first.in_channels, side=side)


def _maps(size: int, *, channels: int, side: int) -> tuple[Tensor, ...]:
    import torch

    return (torch.empty(size, channels, side, side),)
