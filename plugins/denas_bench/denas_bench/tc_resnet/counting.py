"""Compute the cost of a network by formulas, because a search needs costs far more often than scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .network import STEM_CHANNELS, STEM_KERNEL, Block, channels_of, scaled

FLOAT_BYTES = 4
NORM_COUNTER_BYTES = 8
"""Size in bytes of the batch counter in each batch norm."""


@dataclasses.dataclass(slots=True)
class Count:
    """The cost of a network.

    Attributes:
        params: Number of parameters.
        flops: Operations of convolutions and the linear head on one sample; a multiply-add counts as two.
        weight_bytes: Size of parameters and buffers.
        peak_bytes: Largest total size of input and activations that exist at one time, in inference on one sample.
    """

    params: int = 0
    flops: int = 0
    weight_bytes: int = 0
    peak_bytes: int = 0

    def add_layer(self, channels: int, out_channels: int, *, kernel: int, frames: int) -> None:
        """Add a convolution with `frames` frames of output, and its batch norm."""
        weights = kernel * channels * out_channels
        self.params += weights + 2 * out_channels
        self.flops += 2 * weights * frames
        self.weight_bytes += FLOAT_BYTES * (weights + 4 * out_channels) + NORM_COUNTER_BYTES

    def add_alive(self, values: int) -> None:
        """Record that as many values exist at one time."""
        self.peak_bytes = max(self.peak_bytes, FLOAT_BYTES * values)


def count_network(blocks: Sequence[Block], *, width: float, bands: int, frames: int, classes: int) -> Count:
    """Return the cost of a network with a linear head.

    Args:
        blocks: Sizes of the blocks.
        width: Factor of all widths.
        bands: Bands of the spectrum.
        frames: Frames of a recording.
        classes: Outputs of the head.
    """
    count = Count()
    channels = scaled(STEM_CHANNELS, width)
    spectrum = bands * frames
    count.add_layer(bands, channels, kernel=STEM_KERNEL, frames=frames)
    # A batch norm needs its input, its output, and the mean and deviation of each channel.
    count.add_alive(spectrum + 2 * channels * frames + 2 * channels)
    # Python keeps the spectrum, the output of the stem and the input of a block until each call has returned.
    stem = held = channels * frames
    for index, block in enumerate(blocks):
        out_channels, frames = channels_of(index, width), block.frames_after(frames)
        made = out_channels * frames
        is_same = block.stride == 1 and channels == out_channels
        count.add_layer(channels, out_channels, kernel=block.kernel, frames=frames)
        count.add_layer(out_channels, out_channels, kernel=block.kernel, frames=frames)
        if not is_same:
            count.add_layer(channels, out_channels, kernel=1, frames=frames)
        # While the norm of a shortcut runs, the output of the body is in memory too.
        count.add_alive(spectrum + held + (2 if is_same else 3) * made + 2 * out_channels)
        channels, held = out_channels, stem + made
    count.add_alive(spectrum + channels * (frames + 1) + classes)
    count.params += (channels + 1) * classes
    count.flops += 2 * channels * classes
    count.weight_bytes += FLOAT_BYTES * (channels + 1) * classes
    return count
