"""The pieces of a network, from which its latency is predicted: its ends, attention, and feed-forward blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertAttention, BertIntermediate, BertOutput

from denas_core.networks import Piece

from .hf import DenasBertAttention
from .network import build_network
from .shape import Shape

ATTENTION = "sdpa"
"""The implementation of attention that transformers chooses for BERT."""


class AttentionPiece(nn.Module):
    """The attention of a layer, with its norm."""

    def __init__(self, shape: Shape, common: Mapping[str, Any]) -> None:
        super().__init__()
        make: Any = BertAttention if shape.is_stock else DenasBertAttention
        self.attention = make(_settings(shape, common), layer_idx=0)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, tokens, hidden)."""
        out: Tensor = self.attention(x)[0]
        return out


class FeedForwardPiece(nn.Module):
    """The feed-forward block of a layer, with its norm."""

    def __init__(self, shape: Shape, common: Mapping[str, Any]) -> None:
        super().__init__()
        inner: Any = BertIntermediate
        outer: Any = BertOutput
        settings = _settings(shape, common)
        self.intermediate, self.output = inner(settings), outer(settings)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, tokens, hidden)."""
        out: Tensor = self.output(self.intermediate(x), x)
        return out


def network_pieces(shape: Shape, common: Mapping[str, Any], *, tokens: int) -> list[Piece]:
    """Return the pieces of a network without a head.

    There are thousands of pairs of a hidden width with another size, and a whole network takes ten times as long to
    read as its attention or its feed-forward block.

    Args:
        shape: The sizes of the network.
        common: The other keys of its configuration.
        tokens: Number of tokens of a text.
    """
    ends = dataclasses.replace(shape, layers=0)

    def inputs(size: int) -> tuple[Tensor, ...]:
        return (torch.empty(size, tokens, shape.hidden),)

    return [
        # Whether the heads divide the hidden width changes the classes of a network, but none of the operators here.
        Piece(key=("ends", shape.hidden), build=lambda: build_network(ends, common)),
        Piece(
            key=("attention", shape.hidden, shape.heads),
            build=lambda: AttentionPiece(shape, common),
            count=shape.layers,
            inputs=inputs,
        ),
        Piece(
            key=("feed-forward", shape.hidden, shape.intermediate),
            build=lambda: FeedForwardPiece(shape, common),
            count=shape.layers,
            inputs=inputs,
        ),
    ]


def _settings(shape: Shape, common: Mapping[str, Any]) -> SimpleNamespace:
    """Return what the modules of a layer read of a configuration; to make one takes as long as all of its modules."""
    return SimpleNamespace(
        **common,
        hidden_size=shape.hidden,
        num_attention_heads=shape.heads,
        attention_head_size=shape.head_size,
        intermediate_size=shape.intermediate,
        is_decoder=False,
        _attn_implementation=ATTENTION,
    )
