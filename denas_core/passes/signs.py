"""Records the signs of pre-activations: whether each unit of a network is above its threshold."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from denas_core.values.passes import Trace

from .layers import arguments_of
from .recorder import Recorder

ACTIVATIONS = frozenset(
    {
        *(F.relu, F.relu_, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_),
        *(F.relu6, F.leaky_relu, F.leaky_relu_, F.rrelu, F.elu, F.elu_, F.selu, F.celu, F.hardtanh),
        *(F.gelu, F.silu, F.mish, F.hardswish, F.softplus, torch.tanh, torch.Tensor.tanh, F.tanh),
        *(torch.sigmoid, torch.Tensor.sigmoid, F.sigmoid),
    }
)
"""Activation functions with a threshold at zero. A SiLU that is written by hand is a product with a sigmoid."""


class SignRecorder(Recorder):
    """Records the sign of every input of an activation function."""

    def __init__(self, samples: int) -> None:
        """Record the calls of a batch of `samples`. A call with another first dimension has no samples to compare."""
        self._samples = samples
        self._signs: list[Tensor] = []

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Record the signs. An activation function that works in place would overwrite its input."""
        if func in ACTIVATIONS:
            (input,) = arguments_of(args, kwargs, "input")
            if input.dim() > 1 and len(input) == self._samples:
                self._signs.append((input.detach() > 0).flatten(1))

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the signs."""
        return dataclasses.replace(trace, signs=tuple(self._signs))
