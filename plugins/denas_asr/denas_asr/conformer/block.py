"""The encoder's blocks in ``asr/conformer``, as in Gulati et al. 2020 (arXiv:2005.08100), with absolute positions.

In eval mode, and for a batch of one sample, their outputs equal those of ``torchaudio.models.Conformer``. In a batch,
convolutions treat the padding behind a sample as zero, so that the padding does not change the sample's outputs.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from denas_asr.network.attention import SelfAttention
from denas_asr.network.feed_forward import FeedForward

from .convolution import ConvolutionModule

STEP = 0.5
"""The factor of a feed-forward layer's output before it is added."""


class ConformerBlock(nn.Module):
    """Half a feed-forward step, attention, convolution, another half step (each after a layer norm) and a final norm.

    Args:
        width: Number of features of a frame.
        heads: Number of attention heads.
        hidden: Features inside each of the two feed-forward layers.
        kernel: Kernel size of the convolution in frames; an odd number.
        dropout: Dropout rate of attention weights, inside feed-forward layers, and of the output of all four layers.
        residual: Whether the block has residual connections.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, kernel: int, *, dropout: float, residual: bool
    ) -> None:
        super().__init__()
        self.feed_forward1_norm = nn.LayerNorm(width)
        self.feed_forward1 = FeedForward(width, hidden, dropout=dropout, activation=F.silu)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout=dropout)
        self.convolution_norm = nn.LayerNorm(width)
        self.convolution = ConvolutionModule(width, kernel)
        self.feed_forward2_norm = nn.LayerNorm(width)
        self.feed_forward2 = FeedForward(width, hidden, dropout=dropout, activation=F.silu)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, frames, width); `mask`, (samples, frames), is True for valid frames."""
        x = self._add_residual(x, STEP * self.feed_forward1(self.feed_forward1_norm(x)))
        x = self._add_residual(x, self.attention(self.attention_norm(x), mask))
        x = self._add_residual(x, self.convolution(self.convolution_norm(x), mask))
        x = self._add_residual(x, STEP * self.feed_forward2(self.feed_forward2_norm(x)))
        return cast("Tensor", self.norm(x))

    def _add_residual(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.dropout(y)
        return x + y if self.residual else y
