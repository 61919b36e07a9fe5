"""Gradients of matrices as the two factors that a linear layer leaves: far smaller than the matrix for few rows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from denas_core.values.passes import GradientFactors

from .layers import layer_of, start_of_graph

FEW_ROWS = 0.75
"""Factors of more rows than this share of the smaller side of their matrix are multiplied at once."""


class FactorRecorder:
    """Records the linear layers that multiply by one of `weights`; whatever else uses these is left to autograd.

    A weight is a constant where it is recorded, and a leaf anywhere else, so that every use of it counts once.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Record calls with `weights`, by name; each must need a gradient."""
        self._weights = weights
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() == 2}
        self._calls: list[_Call] = []
        self._anchor = torch.zeros((), requires_grad=True)

    def __call__(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run `func` as the network would, and record it if it is a linear layer."""
        layer = layer_of(func, args, kwargs)
        name = None if layer is None or layer.convolution is not None else self._names.get(id(layer.weight))
        if layer is None or name is None:
            return func(*args, **kwargs)
        edge, output = start_of_graph(func, args, kwargs, layer, self._anchor, weight=layer.weight.detach())
        self._calls.append(_Call(name, layer.input.detach(), edge, layer.transposed))
        return output

    def sequence_first(self, samples: int) -> contextlib.AbstractContextManager[None]:
        """Return a context that changes nothing: sums over rows do not depend on their order."""
        return contextlib.nullcontext()

    def differentiate(self, readout: Tensor, totals: Mapping[str, GradientTotal]) -> None:
        """Add the gradient of the sum of `readout` by each weight to its total, and forget the calls."""
        calls, self._calls = self._calls, []
        if not readout.requires_grad:
            return
        sources: list[Any] = [*(call.edge for call in calls), *self._weights.values()]
        gradients = torch.autograd.grad(readout.sum(), sources, allow_unused=True)
        for call, gradient in zip(calls, gradients, strict=False):
            if gradient is not None:
                outputs, inputs = (t.reshape(-1, t.shape[-1]) for t in (gradient, call.input))
                totals[call.parameter].add_factors(outputs, inputs, transposed=call.transposed)
        for name, gradient in zip(self._weights, gradients[len(calls) :], strict=True):
            if gradient is not None:
                totals[name].add(gradient)


class GradientTotal:
    """The gradient by one weight as it adds up, over the calls of a layer and the parts of a batch."""

    def __init__(self, weight: Tensor) -> None:
        """Begin with zero, for a gradient of the shape of `weight`."""
        self._weight = weight
        self._product: Tensor | None = None
        self._outputs: list[Tensor] = []
        self._inputs: list[Tensor] = []
        self._transposed = False
        # What autograd returned may be shared; what was added up here may be added to in place.
        self._is_own = False

    def add_factors(self, outputs: Tensor, inputs: Tensor, *, transposed: bool) -> None:
        """Add `outputs` (rows, out) transposed times `inputs` (rows, in); `transposed` if the weight is (in, out)."""
        if transposed != self._transposed:
            self._multiply()
        self._transposed = transposed
        self._outputs.append(outputs)
        self._inputs.append(inputs)
        if self._product is not None or sum(map(len, self._outputs)) > FEW_ROWS * min(self._weight.shape):
            self._multiply()

    def add(self, gradient: Tensor) -> None:
        """Add a gradient of the shape of the weight."""
        self._multiply()
        if self._is_own and self._product is not None:
            self._product += gradient
        else:
            self._is_own = self._product is not None
            self._product = gradient if self._product is None else self._product + gradient

    def result(self) -> GradientFactors | Tensor:
        """Return the factors, or the gradient where they were multiplied, or are none."""
        if self._product is None and self._outputs:
            return GradientFactors(outputs=torch.cat(self._outputs), inputs=torch.cat(self._inputs))
        self._multiply()
        return torch.zeros_like(self._weight) if self._product is None else self._product

    def _multiply(self) -> None:
        pairs = zip(self._outputs, self._inputs, strict=True)
        self._outputs, self._inputs = [], []
        for outputs, inputs in pairs:
            left, right = (inputs, outputs) if self._transposed else (outputs, inputs)
            if self._is_own and self._product is not None:
                # In place: of many large matrices, new ones would take longer than the products.
                self._product.addmm_(left.T, right)
            else:
                product = left.T @ right
                self._product = product if self._product is None else self._product + product
                self._is_own = True


class _Call(NamedTuple):
    """One recorded call, before its gradient is known."""

    parameter: str
    input: Tensor
    edge: GradientEdge
    transposed: bool
