"""The network: embeddings, layers of attention and feed-forward blocks with norms behind them, and a head."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_bench.layers import Embedding, Linear

EMBEDDING = 128
NORM_EPS = 1e-12
DROPOUT = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Layer:
    """Sizes of a layer.

    Attributes:
        heads: Heads of its attention, which share the hidden width.
        ffn: Widths between the linear layers of its feed-forward block.
    """

    heads: int
    ffn: tuple[int, ...]


class Encoder(nn.Module):
    """An encoder of text.

    Args:
        vocabulary: Number of tokens that it knows.
        positions: Tokens of the longest text.
        hidden: Features of a token.
        layers: Sizes of the layers.
        head: Takes the features of the first token, (samples, hidden).
        residual: Whether layers add to what goes through them.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        positions: int,
        hidden: int,
        layers: Sequence[Layer],
        head: nn.Module,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.tokens = Embedding(vocabulary, EMBEDDING)
        self.positions = Embedding(positions, EMBEDDING)
        self.segments = Embedding(2, EMBEDDING)
        self.norm = nn.LayerNorm(EMBEDDING, eps=NORM_EPS)
        self.dropout = nn.Dropout(DROPOUT)
        self.projection = nn.Identity() if hidden == EMBEDDING else Linear(EMBEDDING, hidden)
        self.layers = nn.ModuleList(EncoderLayer(hidden, layer, residual=residual) for layer in layers)
        self.head = head

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """Return what the head makes of the first token of texts (samples, tokens)."""
        return cast("Tensor", self.head(self.features(input_ids, attention_mask, token_type_ids)[:, 0]))

    def features(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """Return the last hidden states, (samples, tokens, hidden)."""
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.tokens(input_ids) + self.positions(places) + self.segments(token_type_ids)
        x = self.projection(self.dropout(self.norm(x)))
        hidden = None if attention_mask is None else ~attention_mask.bool()[:, None, None, :]
        for layer in self.layers:
            x = layer(x, hidden)
        return cast("Tensor", x)


class EncoderLayer(nn.Module):
    """Attention and a feed-forward block, with a layer norm behind each (Devlin et al. 2019, arXiv:1810.04805)."""

    def __init__(self, hidden: int, layer: Layer, *, residual: bool) -> None:
        super().__init__()
        self.heads = layer.heads
        self.residual = residual
        self.query, self.key, self.value, self.out = (Linear(hidden, hidden) for _ in range(4))
        self.attention_norm = nn.LayerNorm(hidden, eps=NORM_EPS)
        widths = (hidden, *layer.ffn, hidden)
        self.ffn = nn.ModuleList(Linear(before, after) for before, after in itertools.pairwise(widths))
        self.ffn_norm = nn.LayerNorm(hidden, eps=NORM_EPS)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        """Return (samples, tokens, hidden); keys that `hidden` marks are not attended to."""
        x = self.attention_norm(self._joined(x, self._attention(x, hidden)))
        *inner, last = self.ffn
        y = x
        for linear in inner:
            y = F.gelu(linear(y))
        return cast("Tensor", self.ffn_norm(self._joined(x, last(y))))

    def _attention(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        logits = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if hidden is not None:
            logits = logits.masked_fill(hidden, torch.finfo(logits.dtype).min)
        weights = self.dropout(logits.softmax(-1))
        return cast("Tensor", self.out((weights @ value).transpose(1, 2).flatten(2)))

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        y = self.dropout(y)
        return x + y if self.residual else y
