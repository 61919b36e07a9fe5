"""A small space of networks that read tokens, to try text tasks on without transformers."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import (
    Architecture,
    Batch,
    BatchKind,
    Knob,
    Outputs,
    PositionHead,
    SearchSpace,
    Variant,
    expand_mask,
    option,
)


@dataclasses.dataclass(kw_only=True)
class ToyText(SearchSpace):
    """Embeddings, one layer of attention and a norm; features of the tokens, or their mean under a head."""

    vocabulary: int = option(64, "Rows of the table of tokens", at_least=8)
    positions: int = option(160, "Rows of the table of positions", at_least=8)
    segments: bool = option(True, "Tell first from second texts")

    def knobs(self) -> tuple[Knob, ...]:
        """Return width and heads."""
        return (Knob("width", (8, 16)), Knob("heads", (1, 2)))

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network; a `PositionHead` takes (samples, tokens, width), another (samples, width)."""
        return _Network(self, int(arch["width"]), int(arch["heads"]), head or nn.Identity())

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return sequences of 8 tokens, all of which count."""
        shape = (size, 8)
        device = "meta" if kind == "cost" else "cpu"
        tokens = torch.ones(shape, dtype=torch.long, device=device)
        if kind == "noise":
            tokens = torch.randint(self.vocabulary, shape, generator=torch.Generator().manual_seed(seed))
        inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
        if self.segments:
            inputs["token_type_ids"] = torch.zeros_like(tokens)
        masks = {} if kind == "cost" else {"features": torch.ones(shape, dtype=torch.bool)}
        return Batch(inputs=inputs, masks=masks, units={"samples": float(size), "tokens": float(size * 8)})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return features of the tokens, and what the head makes of them or of their mean."""
        features, logits = model(**batch.inputs)
        return Outputs(features=features, logits={"logits": logits}, masks=batch.masks)


class _Network(nn.Module):
    def __init__(self, space: ToyText, width: int, heads: int, head: nn.Module) -> None:
        super().__init__()
        self.tokens = nn.Embedding(space.vocabulary, width)
        self.positions = nn.Embedding(space.positions, width)
        self.segments = nn.Embedding(2, width) if space.segments else None
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm = nn.LayerNorm(width)
        self.heads = heads
        self.head = head

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Any = None) -> Any:
        # A view, as many networks make of their tokens.
        tokens = input_ids.view(-1, input_ids.shape[-1])
        places = torch.arange(tokens.shape[1], device=tokens.device)[None]
        x = self.tokens(tokens) + self.positions(places)
        if self.segments is not None:
            x = x + self.segments(token_type_ids)
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        seen = attention_mask.bool()[:, None, None, :]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = self.norm(x + self.out(mixed.transpose(1, 2).flatten(2)))
        if isinstance(self.head, PositionHead):
            return x, self.head(x)
        weights = expand_mask(attention_mask, x)
        return x, self.head((x * weights).sum(1) / weights.sum(1))
