"""The attention decoder: it predicts the next symbol from the symbols so far and the encoded speech."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, cast

from torch import Tensor, nn

from .attention import CrossAttention, SelfAttention
from .feed_forward import FeedForward
from .positions import add_positions

NORM_EPS = 1e-6
"""The value in SpeechBrain, whose transformer the original DE-NAS uses."""


class Decoder(nn.Module):
    """A pre-norm transformer decoder, without the projection to the symbols.

    Args:
        vocabulary: Number of symbols.
        width: Number of features of a position.
        layers: Number of blocks.
        heads: Number of heads of each attention.
        hidden: Number of hidden features in feed-forward layers.
        dropout: Dropout rate of attention weights, feed-forward layers and the outputs of layers.
        residual: Whether blocks have residual connections.
    """

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"embedding": ("embed",)}

    def __init__(
        self,
        vocabulary: int,
        width: int,
        *,
        layers: int,
        heads: int,
        hidden: int,
        dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(
            DecoderBlock(width, heads, hidden, dropout=dropout, residual=residual) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, tokens: Tensor, encoded: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, symbols, width); no position attends to later symbols.

        Args:
            tokens: (samples, symbols).
            encoded: (samples, frames, width).
            mask: (samples, frames), True for valid frames; None if all are valid.
        """
        x = add_positions(self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim))
        for block in self.blocks:
            x = block(x, encoded, mask)
        return cast("Tensor", self.norm(x))


class DecoderBlock(nn.Module):
    """Attention to earlier symbols, attention to the frames and a feed-forward layer, each after a layer norm."""

    def __init__(self, width: int, heads: int, hidden: int, *, dropout: float, residual: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.attention = SelfAttention(width, heads, dropout=dropout, causal=True)
        self.cross_attention_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.cross_attention = CrossAttention(width, heads, dropout=dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.feed_forward = FeedForward(width, hidden, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, encoded: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, symbols, width)."""
        x = self._add_residual(x, self.attention(self.attention_norm(x)))
        x = self._add_residual(x, self.cross_attention(self.cross_attention_norm(x), encoded, mask))
        return self._add_residual(x, self.feed_forward(self.feed_forward_norm(x)))

    def _add_residual(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.dropout(y)
        return x + y if self.residual else y
