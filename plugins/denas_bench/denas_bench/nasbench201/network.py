"""The network of a cell: a stem, three stages of equal cells, a residual block before the second and the third."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn

from .notation import EDGES, knob_of


class CellNetwork(nn.Module):
    """A network of NAS-Bench-201 (Dong and Yang 2020, arXiv:2001.00326, figure 1).

    Args:
        operations: Operations of the cell by the name of their knob.
        channels: Channels of the first stage; the second has twice as many, the third four times.
        cells: Cells of a stage.
        head: Takes (samples, channels of the third stage).
        residual: Whether the blocks between the stages have shortcuts.
    """

    def __init__(
        self,
        operations: Mapping[str, str],
        *,
        channels: int,
        cells: int,
        head: nn.Module,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.stem = stem(channels)
        layers: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                layers.append(Reduction(width // 2, width, residual=residual))
            layers += [Cell(operations, width) for _ in range(cells)]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head makes of images (samples, 3, height, width)."""
        return cast("Tensor", self.head(self.pool(self.features(x))))

    def features(self, x: Tensor) -> Tensor:
        """Return the feature map that is pooled."""
        return cast("Tensor", self.last(self.layers(self.stem(x))))


class Cell(nn.Module):
    """Four nodes; each but the first is the sum of an operation on every node before it."""

    def __init__(self, operations: Mapping[str, str], channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {knob_of(*edge): operation_module(operations[knob_of(*edge)], channels) for edge in EDGES}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the last node, of the shape of `x`."""
        nodes = [x]
        for target in (1, 2, 3):
            total = self.edges[knob_of(target, 0)](x)
            for source in range(1, target):
                total = total + self.edges[knob_of(target, source)](nodes[source])
            nodes.append(total)
        return nodes[-1]


class Zero(nn.Module):
    """The operation ``none``."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros that depend on `x`, so that weights without effect have gradients of 0 and not none at all."""
        return x * 0.0


class Reduction(nn.Module):
    """A residual block that halves height and width."""

    def __init__(self, channels: int, out_channels: int, *, residual: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, out_channels, 3, stride=2), *_convolution(out_channels, out_channels, 3)
        )
        self.shortcut = (
            nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, out_channels, 1, bias=False))
            if residual
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, out channels, height / 2, width / 2)."""
        y: Tensor = self.body(x)
        return y if self.shortcut is None else y + self.shortcut(x)


def stem(channels: int) -> nn.Sequential:
    """Return what makes the feature maps of the first stage from images."""
    return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))


def operation_module(name: str, channels: int) -> nn.Module:
    """Return the module of an operation of a cell."""
    match name:
        case "none":
            return Zero()
        case "skip_connect":
            return nn.Identity()
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case "nor_conv_1x1":
            return nn.Sequential(*_convolution(channels, channels, 1))
        case _:
            return nn.Sequential(*_convolution(channels, channels, 3))


def _convolution(channels: int, out_channels: int, kernel: int, *, stride: int = 1) -> list[nn.Module]:
    return [
        nn.ReLU(),
        nn.Conv2d(channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    ]
