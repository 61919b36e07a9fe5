"""Whether gradients pass through blocks with their size kept."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed

from .observed import ObservedScore
from .spectra import channel_rows

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import BlockCall, Trace

_EPSILON = 1e-6


@dataclasses.dataclass(kw_only=True)
class Trainability(ObservedScore):
    """The mean over blocks of 2 - s - 1 / (s + 1e-6), s the largest singular value of a block's gradient map.

    AZ-NAS's trainability (Lee and Ham 2024, arXiv:2403.19232, eq. 6): the map is g_in' g_out / rows, with g_out a
    vector of random signs at the output of the block and g_in its gradient by the input, rows being samples times
    positions. It is 0 for a block that keeps the size of gradients, and negative for all others. Where a block has
    fewer positions at its end, those at its start are folded into channels. It suits convolutional networks alone.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("block gradients",))

    def value(self, trace: Trace) -> float:
        """Return the mean, at most 0; larger is better.

        Raises:
            ScoreFailed: the network has no block whose positions at start and end correspond.
        """
        values = [value for block in trace.blocks if (value := _of_block(block)) is not None]
        if not values:
            raise ScoreFailed("the network has no block through which a gradient can be followed")
        return sum(values) / len(values)


def _of_block(block: BlockCall) -> float | None:
    import torch

    assert block.cotangent is not None and block.input_gradient is not None
    gradient = _folded(block.input_gradient, block.cotangent, block.channels)
    if gradient is None:
        return None
    at_start, at_end = channel_rows(gradient, block), channel_rows(block.cotangent, block)
    if len(at_start) != len(at_end):
        return None
    largest = float(torch.linalg.matrix_norm((at_start.T @ at_end).double().cpu() / len(at_end), ord=2))
    return 2 - largest - 1 / (largest + _EPSILON)


def _folded(gradient: Tensor, cotangent: Tensor, channels: int) -> Tensor | None:
    """Return a gradient with as many positions as the cotangent: those that one of it covers become its channels."""
    if channels != 1:
        return gradient
    for dim in range(2, gradient.dim()):
        positions = cotangent.shape[dim]
        factor = gradient.shape[dim] // positions
        if factor == 0:
            return None
        sizes = (*gradient.shape[:dim], positions, factor, *gradient.shape[dim + 1 :])
        split = gradient.narrow(dim, 0, factor * positions).reshape(sizes)
        gradient = split.movedim(dim + 1, 2).flatten(1, 2)
    return gradient
