"""Sizes of networks, and the default choices of a space."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a network.

    Attributes:
        layers: Number of layers.
        heads: Number of attention heads of each layer.
        head_size: Number of features of a head.
        hidden: Number of features of a token.
        intermediate: Number of features between the two layers of a feed-forward block.
    """

    layers: int
    heads: int
    head_size: int
    hidden: int
    intermediate: int

    @property
    def attention(self) -> int:
        """The width of queries, keys and values."""
        return self.heads * self.head_size

    @property
    def is_stock(self) -> bool:
        """Whether the heads divide the hidden width, as in transformers' own classes."""
        return self.attention == self.hidden


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The original network of a space: BERT-base, or the network of a checkpoint.

    Attributes:
        shape: Its sizes.
        common: The other keys of its BertConfig, which are the same for all networks of the space.
    """

    shape: Shape
    common: Mapping[str, Any]


BERT_BASE = Original(
    shape=Shape(layers=12, heads=12, head_size=64, hidden=768, intermediate=3072),
    common={
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "initializer_range": 0.02,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
    },
)
"""BERT-base, the uncased model of Devlin et al. 2019 (arXiv:1810.04805)."""

DROPOUTS = frozenset({"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"})
"""Keys that have an effect only in training."""


def derived_choices(shape: Shape, *, tied: bool) -> dict[str, list[int]]:
    """Return the default choices of each knob of a space whose original network has `shape`.

    For BERT-base these are the bounds and steps of the original DE-NAS: layers 4-12, heads 8-12, hidden 128-768 by 16,
    intermediate 128-3072 by 32. For another network, they are the same shares of its sizes, and the network itself is
    the largest. If the heads divide the hidden width (`tied`), the width has no choices of its own, and heads go from 4
    to 12 instead.
    """
    choices = {
        "layers": _grid(shape.layers, least=Fraction(1, 3)),
        "heads": _grid(shape.heads, least=Fraction(1, 3) if tied else Fraction(2, 3)),
        "intermediate": _grid(shape.intermediate, least=Fraction(1, 24), steps=96),
    }
    return choices if tied else {**choices, "hidden": _grid(shape.hidden, least=Fraction(1, 6), steps=48)}


def _grid(full: int, *, least: Fraction, steps: int | None = None) -> list[int]:
    step = max(1, full // steps) if steps else 1
    return sorted(size for size in range(full, 0, -step) if size >= least * full)
