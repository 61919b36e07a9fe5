"""Tiny checkpoints, written by transformers itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from denas_core.pretrained.silence import silent_transformers

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 50,
    "max_position_embeddings": 16,
}

Change = Callable[..., Path]
"""The fixture `changed`: takes values of a configuration, and returns the folder of a checkpoint that has them."""


def save(model: nn.Module, place: Path, **options: Any) -> Path:
    with silent_transformers():
        model.save_pretrained(place, **options)
    return place


@functools.cache
def bert(kind: str = "BertModel", seed: int = 0) -> Any:
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return getattr(transformers, kind)(transformers.BertConfig(**TINY))


def assert_equal(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert weights.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(weights[name], tensor), name
