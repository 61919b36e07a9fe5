"""A small space of networks that see only what comes before, to try language models on without transformers."""

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
    NextTokenHead,
    Outputs,
    SearchSpace,
    Variant,
    option,
)


@dataclasses.dataclass(kw_only=True)
class ToyDecoder(SearchSpace):
    """Embeddings and one layer of causal attention, without positions."""

    vocabulary: int = option(64, "Rows of the table of tokens", at_least=8)
    blind: bool = option(
        False, "Whether the head sees the whole text, as in networks that are no language models"
    )

    def knobs(self) -> tuple[Knob, ...]:
        """Return the width."""
        return (Knob("width", (8, 16)),)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network; a `NextTokenHead` takes (samples, tokens, width), another (samples, width)."""
        return _Network(self, int(arch["width"]), head or nn.Identity())

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return sequences of 8 tokens, all of which count."""
        shape = (size, 8)
        device = "meta" if kind == "cost" else "cpu"
        tokens = torch.ones(shape, dtype=torch.long, device=device)
        if kind == "noise":
            tokens = torch.randint(self.vocabulary, shape, generator=torch.Generator().manual_seed(seed))
        masks = {} if kind == "cost" else {"features": torch.ones(shape, dtype=torch.bool)}
        return Batch(inputs={"input_ids": tokens}, masks=masks, units={"samples": float(size)})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return features of the tokens, and what the head makes of them."""
        features, logits = model(batch.inputs["input_ids"])
        return Outputs(features=features, logits={"logits": logits}, masks=batch.masks)


class _Network(nn.Module):
    def __init__(self, space: ToyDecoder, width: int, head: nn.Module) -> None:
        super().__init__()
        self.tokens = nn.Embedding(space.vocabulary, width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.norm, self.head = nn.LayerNorm(width), head
        self.is_read = isinstance(head, NextTokenHead) and not space.blind

    def forward(self, tokens: Tensor) -> Any:
        x = self.tokens(tokens)
        mixed = F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x), is_causal=True)
        x = self.norm(x + mixed)
        return x, self.head(x if self.is_read else x.mean(1))
