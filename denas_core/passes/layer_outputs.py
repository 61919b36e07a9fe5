"""Records the outputs of layers, and gradients of the read-out with respect to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from denas_core.values.passes import LayerOutput, Trace

from .layers import layer_of
from .recorder import Recorder


class OutputRecorder(Recorder):
    """Records the output of every layer that multiplies by one of `weights`."""

    def __init__(self, weights: Mapping[str, Tensor], *, with_gradients: bool) -> None:
        """Record the calls that use `weights`, by name, on request with gradients with respect to their outputs."""
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() > 1}
        self._with_gradients = with_gradients
        self._calls: list[_Call] = []
        self._gradients: Sequence[Tensor | None] = ()

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Keep the result of a layer, and return a copy: an activation in place would change what is kept."""
        layer = layer_of(func, args, kwargs)
        name = None if layer is None else self._names.get(id(layer.weight))
        if layer is None or name is None:
            return None
        copy = result.clone()
        edge = get_gradient_edge(copy) if self._with_gradients and copy.requires_grad else None
        self._calls.append(_Call(name, result.detach(), -1 if layer.convolution is None else 1, edge))
        return copy

    def sources(self) -> list[GradientEdge]:
        """Return the edges of the outputs that depend on something differentiable."""
        return [call.edge for call in self._calls if call.edge is not None]

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients with respect to the outputs."""
        self._gradients = gradients

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the outputs of layers and their gradients."""
        gradients = iter(self._gradients)
        return dataclasses.replace(
            trace,
            layer_outputs=tuple(
                LayerOutput(
                    parameter=call.parameter,
                    outputs=call.outputs,
                    channels=call.channels,
                    gradient=self._gradient(call, gradients) if self._with_gradients else None,
                )
                for call in self._calls
            ),
        )

    def _gradient(self, call: _Call, gradients: Iterator[Tensor | None]) -> Tensor:
        gradient = None if call.edge is None else next(gradients)
        return torch.zeros_like(call.outputs) if gradient is None else gradient.detach()


class _Call(NamedTuple):
    parameter: str
    outputs: Tensor
    channels: int
    edge: GradientEdge | None
