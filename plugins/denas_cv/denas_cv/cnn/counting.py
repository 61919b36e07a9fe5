"""Compute the cost of a residual network by formulas, because a search needs costs far more often than scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .units import Convolution, Unit

FLOAT_BYTES = 4
NORM_COUNTER_BYTES = 8
"""Size in bytes of the batch counter in each batch norm."""


@dataclasses.dataclass(slots=True)
class Count:
    """The cost of a network.

    Attributes:
        params: Number of parameters.
        flops: Operations of convolutions and linear layers on one sample; a multiply-add counts as two.
        weight_bytes: Size of parameters and buffers.
        peak_bytes: Largest total size of input and activations that exist at one time, in inference on one sample.
    """

    params: int = 0
    flops: int = 0
    weight_bytes: int = 0
    peak_bytes: int = 0

    def add_layer(self, layer: Convolution, size: int) -> int:
        """Add a convolution with its batch norm, its output `size` pixels high and wide; return the output's bytes."""
        kernel = layer.kernel**2 * layer.in_channels // layer.groups * layer.out_channels
        params = kernel + layer.out_channels * (3 if layer.bias else 2)
        self.params += params
        self.flops += 2 * kernel * size**2
        self.weight_bytes += FLOAT_BYTES * (params + 2 * layer.out_channels) + NORM_COUNTER_BYTES
        return FLOAT_BYTES * layer.out_channels * size**2

    def add_alive(self, size: int) -> None:
        """Record that activations of `size` bytes exist at one time."""
        self.peak_bytes = max(self.peak_bytes, size)


def count_network(blocks: Iterable[Iterable[Unit]], *, channels: int, image_size: int, classes: int) -> Count:
    """Return the cost of super-blocks, given as their units, with a linear head, on square images."""
    count = Count()
    size, out_channels = image_size, channels
    image_bytes = FLOAT_BYTES * channels * size**2
    for i, block in enumerate(blocks):
        block_bytes = FLOAT_BYTES * out_channels * size**2 if i else 0
        unit_bytes = 0
        for unit in block:
            # Python keeps the image, the block's input and the unit's input until each call has returned.
            size = _add_unit(count, unit, size, held=image_bytes + block_bytes + unit_bytes)
            out_channels = unit.body[-1].out_channels
            unit_bytes = FLOAT_BYTES * out_channels * size**2
    count.params += (out_channels + 1) * classes
    count.flops += 2 * out_channels * classes
    count.weight_bytes += FLOAT_BYTES * (out_channels + 1) * classes
    count.add_alive(image_bytes + FLOAT_BYTES * (out_channels * (size**2 + 1) + classes))
    return count


def _add_unit(count: Count, unit: Unit, size: int, *, held: int) -> int:
    """Add a unit on inputs of `size` x `size` pixels, while `held` bytes are in use; return the size of its outputs."""
    before = 0
    for position, layer in enumerate(unit.body, start=1):
        size = (size - 1) // layer.stride + 1
        after = count.add_layer(layer, size)
        # A convolution needs its input and output in memory; norm and ReLU need two maps of the size of its output.
        count.add_alive(held + after + max(before, after))
        if unit.squeeze and position == len(unit.body) - 1:
            count.add_alive(held + 2 * after + max(count.add_layer(gate, 1) for gate in unit.squeeze))
        before = after
    if unit.residual and unit.projection is not None:
        count.add_alive(held + before + 2 * count.add_layer(unit.projection, size))
    return size
