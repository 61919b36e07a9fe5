"""Multi-head self-attention and cross-attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """Self-attention; one fused projection computes queries, keys and values.

    Args:
        width: Number of features of a position, divided among the heads.
        heads: Number of heads.
        dropout: Dropout rate of attention weights.
        causal: Whether a position can attend only to itself and earlier positions.
    """

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "qkv": ("attention.q", "attention.k", "attention.v"),
        "out": ("attention.out",),
    }

    def __init__(self, width: int, heads: int, *, dropout: float, causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.causal = causal
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return (samples, positions, width); `mask`, (samples, positions), is True for positions to attend to."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if mask is None else mask[:, None, None],
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=self.causal,
        )
        return cast("Tensor", self.out(y.transpose(1, 2).flatten(2)))


class CrossAttention(nn.Module):
    """Attention of a sequence to another one of the same width; one fused projection computes keys and values."""

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "q": ("attention.q",),
        "kv": ("attention.k", "attention.v"),
        "out": ("attention.out",),
    }

    def __init__(self, width: int, heads: int, *, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return (samples, positions, width).

        Args:
            x: (samples, positions, width).
            memory: The sequence to attend to, (samples, other positions, width).
            mask: (samples, other positions), True for positions of `memory` to attend to.
        """
        query = self.q(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        key, value = self.kv(memory).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if mask is None else mask[:, None, None],
            dropout_p=self.dropout if self.training else 0.0,
        )
        return cast("Tensor", self.out(y.transpose(1, 2).flatten(2)))
