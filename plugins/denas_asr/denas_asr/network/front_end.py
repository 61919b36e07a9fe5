"""The convolutional front-end: it reduces frames and mel bands to a quarter, with several channels for each band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from torch import Tensor, nn
from torch.nn import functional as F

from .lengths import lengths_after_stride, mask_of


class FrontEnd(nn.Module):
    """Three blocks of a convolution over time and frequency, layer norm and LeakyReLU, kernels 5, 5 and 1.

    The first two blocks have stride 2; the third has a residual connection with its own convolution and norm.

    Args:
        mels: Number of mel bands of a frame.
        channels: Number of channels of each block.
        dropout: Dropout rate of each block's output.
        residual: Whether the third block has its residual connection.
    """

    def __init__(self, mels: int, channels: int, *, dropout: float, residual: bool) -> None:
        super().__init__()
        first, second = bands_of(mels)
        self.block1 = ConvolutionBlock(1, channels, bands=first, kernel=5, stride=2, dropout=dropout)
        self.block2 = ConvolutionBlock(channels, channels, bands=second, kernel=5, stride=2, dropout=dropout)
        self.block3 = ConvolutionBlock(channels, channels, bands=second, kernel=1, stride=1, dropout=dropout)
        self.shortcut = NormedConvolution(channels, channels, bands=second, kernel=1) if residual else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return (samples, frames, bands x channels), and the number of valid frames of each sample.

        Padding behind a sample is set to zero before every convolution whose kernel is larger than 1, as if the sample
        were alone in the batch.

        Args:
            features: (samples, frames, mels).
            lengths: (samples,); None if every frame is valid.
        """
        x = self.block1(_zero_padding(features, lengths).unsqueeze(-1))
        lengths = None if lengths is None else lengths_after_stride(lengths)
        x = self.block2(_zero_padding(x, lengths))
        lengths = None if lengths is None else lengths_after_stride(lengths)
        y = self.block3(x)
        if self.shortcut is not None:
            y = self.dropout(y + self.shortcut(x))
        return y.flatten(2), lengths


class NormedConvolution(nn.Module):
    """A convolution and a layer norm over the bands and channels of each frame."""

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"convolution": ("conv",)}

    def __init__(self, inputs: int, outputs: int, *, bands: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
        self.norm = nn.LayerNorm(bands * outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, frames, bands, channels)."""
        y = self.convolution(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return cast("Tensor", self.norm(y.flatten(2)).unflatten(2, y.shape[2:]))


class ConvolutionBlock(NormedConvolution):
    """A convolution, a layer norm, LeakyReLU and dropout."""

    def __init__(
        self, inputs: int, outputs: int, *, bands: int, kernel: int, stride: int, dropout: float
    ) -> None:
        super().__init__(inputs, outputs, bands=bands, kernel=kernel, stride=stride)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, frames, bands, channels)."""
        return cast("Tensor", self.dropout(F.leaky_relu(super().forward(x))))


def bands_of(mels: int) -> tuple[int, int]:
    """Return the number of bands after the first and after the second block."""
    return (mels + 1) // 2, (mels + 3) // 4


def _zero_padding(x: Tensor, lengths: Tensor | None) -> Tensor:
    if lengths is None:
        return x
    mask = mask_of(lengths, x.shape[1])
    return x.masked_fill(~mask.view(*mask.shape, *[1] * (x.dim() - 2)), 0.0)
