"""The pieces of a network, from which its latency is predicted: its ends, attention, and feed-forward blocks."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertAttention, BertIntermediate, BertOutput

from denas_core.networks import Piece
from denas_hf import Dimensions, build_network

from .hf import DenasBertAttention
from .original import BertOriginal

ATTENTION = "sdpa"
"""The implementation of attention that transformers chooses for BERT."""


class AttentionPiece(nn.Module):
    """The attention of a layer, with its norm."""

    def __init__(self, original: BertOriginal, sizes: Dimensions) -> None:
        super().__init__()
        is_stock = original.attention(sizes) == sizes.hidden
        make: Any = BertAttention if is_stock else DenasBertAttention
        self.attention = make(_settings(original, sizes), layer_idx=0)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, tokens, hidden)."""
        out: Tensor = self.attention(x)[0]
        return out


class FeedForwardPiece(nn.Module):
    """The feed-forward block of a layer, with its norm."""

    def __init__(self, original: BertOriginal, sizes: Dimensions) -> None:
        super().__init__()
        inner: Any = BertIntermediate
        outer: Any = BertOutput
        settings = _settings(original, sizes)
        self.intermediate, self.output = inner(settings), outer(settings)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, tokens, hidden)."""
        out: Tensor = self.output(self.intermediate(x), x)
        return out


def network_pieces(original: BertOriginal, sizes: Dimensions, *, tokens: int) -> list[Piece]:
    """Return the pieces of a network without a head.

    There are thousands of pairs of a hidden width with another size, and a whole network takes ten times as long to
    read as its attention or its feed-forward block.

    Args:
        original: The original network of the space.
        sizes: The sizes of the network.
        tokens: Number of tokens of a text.
    """
    ends = dataclasses.replace(sizes, layers=0)

    def inputs(size: int) -> tuple[Tensor, ...]:
        return (torch.empty(size, tokens, sizes.hidden),)

    return [
        # Whether the heads divide the hidden width changes the classes of a network, but none of the operators here.
        Piece(key=("ends", sizes.hidden), build=lambda: build_network(original, original.resized(ends))),
        Piece(
            key=("attention", sizes.hidden, sizes.heads),
            build=lambda: AttentionPiece(original, sizes),
            count=sizes.layers,
            inputs=inputs,
        ),
        Piece(
            key=("feed-forward", sizes.hidden, sizes.intermediate),
            build=lambda: FeedForwardPiece(original, sizes),
            count=sizes.layers,
            inputs=inputs,
        ),
    ]


def _settings(original: BertOriginal, sizes: Dimensions) -> SimpleNamespace:
    """Return what the modules of a layer read of a configuration; to make one takes as long as all of its modules."""
    return SimpleNamespace(
        **original.common,
        hidden_size=sizes.hidden,
        num_attention_heads=sizes.heads,
        attention_head_size=original.head_width,
        intermediate_size=sizes.intermediate,
        is_decoder=False,
        _attn_implementation=ATTENTION,
    )
