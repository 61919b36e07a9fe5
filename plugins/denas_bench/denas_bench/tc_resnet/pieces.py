"""The pieces of a network, from which its latency is predicted: the stem, the blocks, and the head."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .network import STEM_CHANNELS, Block, ResidualBlock, channels_of, pool, scaled, stem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.networks import Piece


def network_pieces(
    blocks: Sequence[Block], *, width: float, bands: int, frames: int, classes: int
) -> list[Piece]:
    """Return the pieces of a network; the arguments are those of `count_network`."""
    from denas_core.networks import Piece

    channels = scaled(STEM_CHANNELS, width)
    pieces = [
        Piece(
            key=("stem", channels),
            build=functools.partial(stem, bands, channels),
            inputs=functools.partial(_sequence, channels=bands, frames=frames),
        )
    ]
    for index, block in enumerate(blocks):
        out_channels = channels_of(index, width)
        pieces.append(
            Piece(
                key=(channels, out_channels, block, frames),
                build=functools.partial(ResidualBlock, channels, out_channels, block, residual=True),
                inputs=functools.partial(_sequence, channels=channels, frames=frames),
            )
        )
        channels, frames = out_channels, block.frames_after(frames)
    pieces.append(
        Piece(
            key=("head", channels, frames),
            build=functools.partial(_head, channels, classes),
            inputs=functools.partial(_sequence, channels=channels, frames=frames),
        )
    )
    return pieces


def _head(channels: int, classes: int) -> nn.Module:
    from torch import nn

    return nn.Sequential(pool(), nn.Linear(channels, classes))


def _sequence(size: int, *, channels: int, frames: int) -> tuple[Tensor, ...]:
    import torch

    return (torch.empty(size, channels, frames),)
