"""Initialise weights as the original DE-NAS does: every matrix of the transformer is Glorot-normal."""

from __future__ import annotations

import math

import torch
from torch import nn

from denas_core import initialise

from .attention import CrossAttention, SelfAttention
from .recogniser import SpeechEncoder

_OF_LAYERS = ("front_end", "head")
"""Modules that keep torch's initialisation; the front-end does not belong to the original's transformer."""


def initialise_network(network: SpeechEncoder, *, seed: int) -> SpeechEncoder:
    """Move `network` to the CPU and give it fresh weights; the global random generator is not changed.

    Matrices and embeddings follow Glorot and Bengio 2010 (eq. 16, with a normal distribution); a fused projection
    counts as one matrix, as in torch. Biases of attention are 0, other biases are uniform as in `torch.nn.Linear`.
    Convolutions are initialised as in `torch.nn.Conv1d` and `Conv2d`, and norms as the identity.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, part in network.named_children():
            if name in _OF_LAYERS:
                initialise(part, seed=seed)
                continue
            part.to_empty(device="cpu")
            for module in part.modules():
                _draw(module, generator)
            for module in part.modules():
                _draw_attention(module, generator)
    return network


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.xavier_normal_(module.weight, generator=generator)
    elif isinstance(module, nn.Conv1d):
        bound = math.prod(module.weight.shape[1:]) ** -0.5
        module.weight.uniform_(-bound, bound, generator=generator)
    elif isinstance(module, (nn.LayerNorm, nn.BatchNorm1d)):
        module.reset_parameters()
    if isinstance(module, (nn.Linear, nn.Conv1d)) and module.bias is not None:
        bound = math.prod(module.weight.shape[1:]) ** -0.5
        module.bias.uniform_(-bound, bound, generator=generator)


def _draw_attention(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, CrossAttention):
        # In torch these two matrices are one, with three times as many rows as columns.
        spread = (2 / (4 * module.q.in_features)) ** 0.5
        for projection in (module.q, module.kv):
            projection.weight.normal_(0.0, spread, generator=generator)
    if isinstance(module, (CrossAttention, SelfAttention)):
        for name, parameter in module.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
