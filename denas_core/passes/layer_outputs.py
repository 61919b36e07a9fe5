"""What layers put out, and gradients of the read-out by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from denas_core.values.passes import LayerOutput

from .layers import layer_of


class OutputRecorder:
    """Records the output of every layer that multiplies by one of `weights`."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Record calls with `weights`, by name."""
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() > 1}
        self._calls: list[_Call] = []

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do nothing: only what comes out counts."""

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Keep the result of a call, and return a copy: an activation in place would change what is kept."""
        layer = layer_of(func, args, kwargs)
        name = None if layer is None else self._names.get(id(layer.weight))
        if layer is None or name is None:
            return None
        copy = result.clone()
        edge = get_gradient_edge(copy) if copy.requires_grad else None
        self._calls.append(_Call(name, result.detach(), -1 if layer.convolution is None else 1, edge))
        return copy

    def edges(self) -> list[GradientEdge]:
        """Return where gradients by the outputs start, of the calls that depend on something differentiable."""
        return [call.edge for call in self._calls if call.edge is not None]

    def calls(self, gradients: Sequence[Tensor | None] | None) -> tuple[LayerOutput, ...]:
        """Return the recorded calls, with the gradients at `edges` in their order, if there are any."""
        left = iter(gradients or ())
        found = []
        for call in self._calls:
            gradient = None
            if gradients is not None:
                gradient = next(left) if call.edge is not None else None
                gradient = torch.zeros_like(call.outputs) if gradient is None else gradient.detach()
            found.append(
                LayerOutput(
                    parameter=call.parameter, outputs=call.outputs, channels=call.channels, gradient=gradient
                )
            )
        return tuple(found)


class _Call(NamedTuple):
    parameter: str
    outputs: Tensor
    channels: int
    edge: GradientEdge | None
