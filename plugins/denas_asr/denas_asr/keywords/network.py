"""Networks of the space ``asr/keywords``: a stem, blocks of one of two kinds, and a head."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

DROPOUT = 0.2

STEM_KERNEL = (10, 4)
"""Frames and bands that the first convolution of a separable network sees (Zhang et al. 2017, arXiv:1711.07128)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage(ABC):
    """A part of a network whose input has a known shape, so that it can be built and counted alone.

    Attributes:
        shape: Shape of the input of one sample.
        channels: Channels of the output.
    """

    shape: tuple[int, ...]
    channels: int

    @abstractmethod
    def build(self, *, residual: bool = True) -> nn.Module:
        """Return the module, with its shortcut unless `residual` is false."""

    @property
    @abstractmethod
    def output(self) -> tuple[int, ...]:
        """Shape of the output of one sample."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TemporalStem(Stage):
    """A convolution over time whose channels are the bands; the shape of its input is (bands, frames)."""

    def build(self, *, residual: bool = True) -> nn.Module:
        """Return convolution, batch normalisation and ReLU."""
        return nn.Sequential(
            nn.Conv1d(self.shape[0], self.channels, 3, padding=1, bias=False),
            nn.BatchNorm1d(self.channels),
            nn.ReLU(),
        )

    @property
    def output(self) -> tuple[int, ...]:
        """(channels, frames)."""
        return self.channels, self.shape[1]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TemporalStage(Stage):
    """A residual block of convolutions over time, as in TC-ResNet (Choi et al. 2019, arXiv:1904.03814).

    Attributes:
        kernel: Frames that a convolution sees.
        stride: Stride of the first convolution.
    """

    kernel: int
    stride: int

    def build(self, *, residual: bool = True) -> nn.Module:
        """Return the block."""
        return TemporalBlock(
            self.shape[0], self.channels, kernel=self.kernel, stride=self.stride, residual=residual
        )

    @property
    def output(self) -> tuple[int, ...]:
        """(channels, frames)."""
        return self.channels, _strided(self.shape[1], self.stride)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeparableStem(Stage):
    """A convolution over time and bands; the shape of its input is (bands, frames)."""

    def build(self, *, residual: bool = True) -> nn.Module:
        """Return convolution, batch normalisation and ReLU."""
        return nn.Sequential(
            AsImage(),
            nn.Conv2d(1, self.channels, STEM_KERNEL, stride=2, padding=(5, 1), bias=False),
            nn.BatchNorm2d(self.channels),
            nn.ReLU(),
        )

    @property
    def output(self) -> tuple[int, ...]:
        """(channels, frames, bands)."""
        bands, frames = self.shape
        return self.channels, frames // 2 + 1, (bands - 2) // 2 + 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeparableStage(Stage):
    """A depthwise and a pointwise convolution, as in DS-CNN (Zhang et al. 2017, arXiv:1711.07128).

    Attributes:
        kernel: Frames, and bands, that the depthwise convolution sees.
        stride: Stride of the depthwise convolution over both.
    """

    kernel: int
    stride: int

    def build(self, *, residual: bool = True) -> nn.Module:
        """Return the block, which has no shortcut."""
        channels, kernel = self.shape[0], self.kernel
        return nn.Sequential(
            nn.Conv2d(
                channels,
                channels,
                kernel,
                stride=self.stride,
                padding=kernel // 2,
                groups=channels,
                bias=False,
            ),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, self.channels, 1, bias=False),
            nn.BatchNorm2d(self.channels),
            nn.ReLU(),
        )

    @property
    def output(self) -> tuple[int, ...]:
        """(channels, frames, bands)."""
        return self.channels, _strided(self.shape[1], self.stride), _strided(self.shape[2], self.stride)


class TemporalBlock(nn.Module):
    """ReLU of two convolutions over time plus a shortcut, which has a convolution where the shape changes."""

    def __init__(self, channels: int, out_channels: int, *, kernel: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(out_channels),
            nn.ReLU(),
            nn.Conv1d(out_channels, out_channels, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(out_channels),
        )
        self.shortcut: nn.Module | None = None
        if residual and stride == 1 and channels == out_channels:
            self.shortcut = nn.Identity()
        elif residual:
            self.shortcut = nn.Sequential(
                nn.Conv1d(channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm1d(out_channels)
            )
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, out channels, frames)."""
        y: Tensor = self.body(x)
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return cast("Tensor", self.activation(y))


class AsImage(nn.Module):
    """Makes an image of one channel, (samples, 1, frames, bands), of features (samples, bands, frames)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the image."""
        return x.transpose(1, 2).unsqueeze(1)


class Tail(nn.Module):
    """The mean over all positions, dropout, and the head.

    Args:
        head: Takes (samples, channels).
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head makes of (samples, channels, ...)."""
        return cast("Tensor", self.head(self.dropout(x.flatten(2).mean(2))))


class KeywordNetwork(nn.Module):
    """A network of several stages.

    Args:
        stages: The stem and the blocks.
        head: Takes (samples, channels of the last block).
        residual: Whether blocks have shortcuts.
    """

    def __init__(self, stages: Sequence[Stage], *, head: nn.Module, residual: bool = True) -> None:
        super().__init__()
        self.stem = stages[0].build()
        self.blocks = nn.Sequential(*(stage.build(residual=residual) for stage in stages[1:]))
        self.tail = Tail(head)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head makes of features (samples, bands, frames)."""
        return cast("Tensor", self.tail(self.features(x)))

    def features(self, x: Tensor) -> Tensor:
        """Return the output of the last block, (samples, channels, ...)."""
        return cast("Tensor", self.blocks(self.stem(x)))


def _strided(size: int, stride: int) -> int:
    """Return the size after a convolution with an odd kernel that keeps the size if its stride is 1."""
    return (size - 1) // stride + 1
