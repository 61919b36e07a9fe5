"""The encoder's blocks in ``asr/conformer``, as in Gulati et al. 2020 (arXiv:2005.08100), with absolute positions.

In eval mode they equal those of ``torchaudio.models.Conformer`` for a sample alone: convolutions here take what lies
beyond the length of a sample for zero, so that it changes nothing within.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from denas_asr.network.attention import SelfAttention
from denas_asr.network.feed_forward import FeedForward

from .convolution import ConvolutionModule

STEP = 0.5
"""What half-step residuals add of a feed-forward layer."""


class ConformerBlock(nn.Module):
    """Half a feed-forward step, attention, convolution and another half step, each behind a layer norm, and a norm.

    Args:
        width: Features of a frame.
        heads: Heads of the attention.
        hidden: Features inside each of the two feed-forward layers.
        kernel: Frames that the convolution sees; odd.
        dropout: Of attention weights, inside feed-forward layers, and of what all four add.
        residual: Whether the block adds to what goes through it.
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
        """Return (samples, frames, width); `mask`, (samples, frames), is True where a frame counts."""
        x = self._joined(x, STEP * self.feed_forward1(self.feed_forward1_norm(x)))
        x = self._joined(x, self.attention(self.attention_norm(x), mask))
        x = self._joined(x, self.convolution(self.convolution_norm(x), mask))
        x = self._joined(x, STEP * self.feed_forward2(self.feed_forward2_norm(x)))
        return cast("Tensor", self.norm(x))

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.dropout(y)
        return x + y if self.residual else y
