"""The encoder of ``asr/transformer``: pre-norm transformer blocks, each with heads and MLP of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from denas_asr.network.attention import SelfAttention
from denas_asr.network.feed_forward import FeedForward

NORM_EPS = 1e-6
"""As in SpeechBrain, whose transformer the original took."""


class TransformerEncoder(nn.Module):
    """Blocks and a layer norm behind them.

    Args:
        width: Features of a frame.
        layers: Of each block: heads, features inside its feed-forward layer.
        dropout: Of attention weights, feed-forward layers and what blocks add.
        residual: Whether blocks add to what goes through them.
    """

    def __init__(
        self, width: int, layers: Sequence[tuple[int, int]], *, dropout: float, residual: bool
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransformerBlock(width, heads, hidden, dropout=dropout, residual=residual)
            for heads, hidden in layers
        )
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, frames, width); `mask`, (samples, frames), is True where a frame counts."""
        for block in self.blocks:
            x = block(x, mask)
        return cast("Tensor", self.norm(x))


class TransformerBlock(nn.Module):
    """Attention and a feed-forward layer, each behind a layer norm."""

    def __init__(self, width: int, heads: int, hidden: int, *, dropout: float, residual: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.attention = SelfAttention(width, heads, dropout=dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.feed_forward = FeedForward(width, hidden, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, frames, width)."""
        x = self._joined(x, self.attention(self.attention_norm(x), mask))
        return self._joined(x, self.feed_forward(self.feed_forward_norm(x)))

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.dropout(y)
        return x + y if self.residual else y
