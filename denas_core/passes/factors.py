"""Records gradients of matrices as the two factors of a linear layer. Few rows need far less memory than the matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from denas_core.values.passes import Trace

from .gradient_total import GradientTotal
from .layers import Layer, layer_of, output_edge, with_flat_input
from .recorder import Arguments, Recorder
from .weight_gradients import require_gradients


class FactorRecorder(Recorder):
    """Records the linear layers that multiply by one of `weights`. Autograd handles all other uses of the weights.

    A weight is a constant in a recorded layer and a leaf everywhere else, so that every use counts once.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Record the calls that use `weights`, by name. They become leaves of the graph."""
        self._weights = require_gradients(weights)
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() == 2}
        self._totals = {name: GradientTotal(tensor) for name, tensor in weights.items()}
        self._calls: list[_Call] = []
        self._running: tuple[str, Layer] | None = None
        self._anchor = torch.zeros((), requires_grad=True)

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        """Make the weight of a recorded layer a constant."""
        self._running = None
        layer = layer_of(func, args, kwargs)
        name = None if layer is None or layer.convolution is not None else self._names.get(id(layer.weight))
        if layer is None or name is None:
            return None
        self._running = name, layer
        return with_flat_input(args, kwargs, layer, weight=layer.weight.detach())

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Record the call, and return an output from which gradients can start."""
        if self._running is None:
            return None
        (name, layer), self._running = self._running, None
        edge, output = output_edge(layer, result, self._anchor)
        self._calls.append(_Call(name, layer.input.detach(), edge, layer.transposed))
        return output

    def sources(self) -> list[Tensor | GradientEdge]:
        """Return the outputs of the recorded layers, and the weights for their other uses."""
        return [*(call.edge for call in self._calls), *self._weights.values()]

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Add the gradients of a part of the batch."""
        calls, self._calls = self._calls, []
        for call, gradient in zip(calls, gradients, strict=False):
            if gradient is not None:
                outputs, inputs = (t.reshape(-1, t.shape[-1]) for t in (gradient, call.input))
                self._totals[call.parameter].add_factors(outputs, inputs, transposed=call.transposed)
        for name, gradient in zip(self._weights, gradients[len(calls) :], strict=True):
            if gradient is not None:
                self._totals[name].add(gradient)

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the factors, and with the gradients that have no factors."""
        factors = {name: total.factors() for name, total in self._totals.items()}
        return dataclasses.replace(
            trace,
            factors={name: pair for name, pair in factors.items() if pair is not None},
            gradients={name: self._totals[name].gradient() for name, pair in factors.items() if pair is None},
        )


class _Call(NamedTuple):
    """One recorded call, before its gradient is known."""

    parameter: str
    input: Tensor
    edge: GradientEdge
    transposed: bool
