"""Signs of pre-activations: which side of its threshold each unit of a network is on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .layers import arguments_of

ACTIVATIONS = frozenset(
    {
        *(F.relu, F.relu_, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_),
        *(F.relu6, F.leaky_relu, F.leaky_relu_, F.rrelu, F.elu, F.elu_, F.selu, F.celu, F.hardtanh),
        *(F.gelu, F.silu, F.mish, F.hardswish, F.softplus, torch.tanh, torch.Tensor.tanh, F.tanh),
        *(torch.sigmoid, torch.Tensor.sigmoid, F.sigmoid),
    }
)
"""Activation functions whose two sides meet at zero. SiLU and its kin, written by hand, are products with a sigmoid."""


class SignRecorder:
    """Records the sign of everything that goes into an activation function."""

    def __init__(self, samples: int) -> None:
        """Record calls on a batch of `samples`; a call whose first dimension is another has no samples to compare."""
        self._samples = samples
        self.signs: list[Tensor] = []

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Look at the arguments of a call: an activation in place leaves nothing of them."""
        if func in ACTIVATIONS:
            (input,) = arguments_of(args, kwargs, "input")
            if input.dim() > 1 and len(input) == self._samples:
                self.signs.append((input.detach() > 0).flatten(1))

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Do nothing: only what goes in counts."""
