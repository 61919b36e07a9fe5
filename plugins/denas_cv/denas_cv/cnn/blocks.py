"""The torch modules of super-blocks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from .units import Convolution, Unit

NORM_EPS = 1e-3


class UnitModule(nn.Module):
    """A body followed by ReLU; a residual unit adds a shortcut before the ReLU."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        *inner, last = unit.body
        layers: list[nn.Module] = []
        for convolution in inner:
            layers += [*convolution_layers(convolution), nn.ReLU()]
        if unit.squeeze:
            layers.append(SqueezeExcitation(unit.squeeze))
        self.body = nn.Sequential(*layers, *convolution_layers(last))
        self.shortcut = _shortcut(unit) if unit.residual else None
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, out channels, height, width)."""
        y: Tensor = self.body(x)
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        out: Tensor = self.activation(y)
        return out


class SqueezeExcitation(nn.Module):
    """Scales each channel by a gate computed from the means of all channels.

    Source: Hu et al. 2018 (arXiv:1709.01507), section 3. As in the original DE-NAS, the gate has batch norm in place of
    the paper's biases.
    """

    def __init__(self, gate: Sequence[Convolution]) -> None:
        super().__init__()
        squeeze, excite = gate
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            *convolution_layers(squeeze),
            nn.ReLU(),
            *convolution_layers(excite),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with its channels scaled."""
        scaled: Tensor = x * self.gate(x)
        return scaled


class Sum(nn.Module):
    """The sum of two maps, as at the end of a residual unit."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return `x` plus `y`."""
        return x + y


def _shortcut(unit: Unit) -> nn.Module:
    return nn.Identity() if unit.projection is None else nn.Sequential(*convolution_layers(unit.projection))


def convolution_layers(convolution: Convolution) -> list[nn.Module]:
    """Return a convolution and its norm."""
    return [
        nn.Conv2d(
            convolution.in_channels,
            convolution.out_channels,
            convolution.kernel,
            stride=convolution.stride,
            padding=(convolution.kernel - 1) // 2,
            groups=convolution.groups,
            bias=convolution.bias,
        ),
        nn.BatchNorm2d(convolution.out_channels, eps=NORM_EPS),
    ]
