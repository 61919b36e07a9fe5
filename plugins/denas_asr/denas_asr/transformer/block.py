"""The encoder's blocks in ``asr/transformer``: pre-norm attention and feed-forward layers."""

from __future__ import annotations

from torch import Tensor, nn

from denas_asr.network.attention import SelfAttention
from denas_asr.network.feed_forward import FeedForward

NORM_EPS = 1e-6
"""The value in SpeechBrain, whose transformer the original DE-NAS uses."""


class TransformerBlock(nn.Module):
    """Attention and a feed-forward layer, each after a layer norm.

    Args:
        width: Number of features of a frame.
        heads: Number of attention heads.
        hidden: Number of hidden features in the feed-forward layer.
        dropout: Dropout rate of attention weights, inside the feed-forward layer, and of the output of both layers.
        residual: Whether the block has residual connections.
    """

    def __init__(self, width: int, heads: int, hidden: int, *, dropout: float, residual: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.attention = SelfAttention(width, heads, dropout=dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.feed_forward = FeedForward(width, hidden, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, frames, width); `mask`, (samples, frames), is True where a frame counts."""
        x = self._add_residual(x, self.attention(self.attention_norm(x), mask))
        return self._add_residual(x, self.feed_forward(self.feed_forward_norm(x)))

    def _add_residual(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.dropout(y)
        return x + y if self.residual else y
