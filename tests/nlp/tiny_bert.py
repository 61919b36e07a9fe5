"""A BERT of a few thousand weights, as a space and as a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from denas_core.pretrained.silence import silent_transformers
from denas_core.registry.options import make_component
from denas_nlp.bert.space import Bert

SIZES: dict[str, Any] = {
    "layers": [1, 3],
    "heads": [2, 4],
    "intermediate": [8, 24],
    "head_size": 8,
    "vocab_size": 60,
    "positions": 16,
    "seq_len": 7,
}
"""Options of a space of small networks."""


def save_checkpoint(folder: Path, *, kind: str = "BertModel", **config: Any) -> Path:
    """Write a checkpoint of 3 layers, 4 heads of 8 features and 24 neurons, its norms and biases not as at first."""
    sizes = {"num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 24}
    given = {"vocab_size": 60, "max_position_embeddings": 16, **sizes, **config}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = getattr(transformers, kind)(transformers.BertConfig(**given))
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        with silent_transformers():
            model.save_pretrained(folder)
    return folder


def space_of(folder: Path, **options: Any) -> Bert:
    given = {"checkpoint": str(folder), "tied": False, "seq_len": 9, **options}
    space: Bert = make_component(Bert, given, id="nlp/bert")
    return space


def member(space: Bert, head: nn.Module | None = None, **values: int) -> Any:
    """Return a network with inherited weights; sizes that are not named are the checkpoint's."""
    full = space.full()
    assert full is not None
    arch = space.architecture({**full.as_dict(), **values})
    with torch.device("meta"):
        model = space.build(arch, head=head)
    return space.load(model, arch, seed=5, weights="inherited").eval()
