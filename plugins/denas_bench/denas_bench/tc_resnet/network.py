"""The network: residual blocks of convolutions over time, the bands of the spectrum being channels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

STEM_CHANNELS = 16
STEM_KERNEL = 3
BLOCK_CHANNELS = (24, 32, 48, 64, 96, 128)
LEAST_CHANNELS = 8
DROPOUT = 0.2


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Sizes of a residual block; its second convolution has stride 1."""

    kernel: int
    dilation: int
    stride: int

    def frames_after(self, frames: int) -> int:
        """Return the frames of the output for `frames` frames of input."""
        return (frames - 1) // self.stride + 1


def scaled(channels: int, width: float) -> int:
    """Return `channels` times the factor of all widths, and at least 8."""
    return max(LEAST_CHANNELS, round(channels * width))


def channels_of(block: int, width: float) -> int:
    """Return the channels of a block, counted from 0."""
    return scaled(BLOCK_CHANNELS[block], width)


class TemporalNetwork(nn.Module):
    """Temporal convolutions after TC-ResNet (Choi et al. 2019, arXiv:1904.03814).

    Args:
        bands: Bands of the spectrum.
        width: Factor of all widths.
        blocks: Sizes of the blocks.
        head: Takes (samples, channels of the last block).
        residual: Whether blocks have shortcuts.
    """

    def __init__(
        self, *, bands: int, width: float, blocks: Sequence[Block], head: nn.Module, residual: bool = True
    ) -> None:
        super().__init__()
        channels = scaled(STEM_CHANNELS, width)
        self.stem = stem(bands, channels)
        layers: list[nn.Module] = []
        for index, block in enumerate(blocks):
            out_channels = channels_of(index, width)
            layers.append(ResidualBlock(channels, out_channels, block, residual=residual))
            channels = out_channels
        self.blocks = nn.Sequential(*layers)
        self.pool = pool()
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head makes of spectra (samples, bands, frames)."""
        return cast("Tensor", self.head(self.pool(self.features(x))))

    def features(self, x: Tensor) -> Tensor:
        """Return (samples, channels, frames), which is pooled."""
        return cast("Tensor", self.blocks(self.stem(x)))


class ResidualBlock(nn.Module):
    """ReLU of two convolutions plus a shortcut, which has a convolution where the shape changes."""

    def __init__(self, channels: int, out_channels: int, block: Block, *, residual: bool) -> None:
        super().__init__()
        padding = block.kernel // 2 * block.dilation
        self.body = nn.Sequential(
            nn.Conv1d(
                channels,
                out_channels,
                block.kernel,
                stride=block.stride,
                padding=padding,
                dilation=block.dilation,
                bias=False,
            ),
            nn.BatchNorm1d(out_channels),
            nn.ReLU(),
            nn.Conv1d(
                out_channels, out_channels, block.kernel, padding=padding, dilation=block.dilation, bias=False
            ),
            nn.BatchNorm1d(out_channels),
        )
        self.shortcut: nn.Module | None = None
        if residual:
            is_same = block.stride == 1 and channels == out_channels
            self.shortcut = (
                nn.Identity()
                if is_same
                else nn.Sequential(
                    nn.Conv1d(channels, out_channels, 1, stride=block.stride, bias=False),
                    nn.BatchNorm1d(out_channels),
                )
            )
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, out channels, frames)."""
        y: Tensor = self.body(x)
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return cast("Tensor", self.activation(y))


def stem(bands: int, channels: int) -> nn.Sequential:
    """Return the first convolution, with norm and ReLU."""
    return nn.Sequential(
        nn.Conv1d(bands, channels, STEM_KERNEL, padding=STEM_KERNEL // 2, bias=False),
        nn.BatchNorm1d(channels),
        nn.ReLU(),
    )


def pool() -> nn.Sequential:
    """Return what makes the input of the head from the output of the last block."""
    return nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Dropout(DROPOUT))
