"""Gradients of the read-out with respect to weights: of the whole batch, of each sample, and with their curvature."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from denas_core.values.passes import Trace

from .gradient_total import GradientTotal
from .recorder import Recorder


class WeightGradients(Recorder):
    """Adds up the gradient of the read-out with respect to each weight over the parts of a batch."""

    sees_calls = False

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Differentiate with respect to `weights`, by name. They become leaves of the graph."""
        self._weights = require_gradients(weights)
        self._totals = {name: GradientTotal(tensor) for name, tensor in weights.items()}

    def sources(self) -> list[Tensor]:
        """Return the weights."""
        return list(self._weights.values())

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Add the gradients of a part of the batch."""
        for total, gradient in zip(self._totals.values(), gradients, strict=True):
            if gradient is not None:
                total.add(gradient.detach())

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the gradients."""
        gradients = {name: total.gradient() for name, total in self._totals.items()}
        return dataclasses.replace(trace, gradients=gradients)


class Curvature(WeightGradients):
    """Adds the product of the Hessian of the read-out with its gradient. The batch must run in one part."""

    keeps_graph = True
    is_differentiable = True

    def __init__(self, weights: Mapping[str, Tensor], *, is_last: bool) -> None:
        """Differentiate with respect to `weights`; `is_last` if no other recorder needs the graph afterwards."""
        super().__init__(weights)
        self._is_last = is_last
        self._products: dict[str, Tensor] = {}

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients, and compute the products."""
        super().take_gradients(readout, gradients)
        # The product of the Hessian with the gradient is the gradient of half the square of the gradient.
        squares = [(g.detach() * g).sum() for g in gradients if g is not None and g.requires_grad]
        products: Sequence[Tensor | None] = [None] * len(self._weights)
        if squares:
            products = torch.autograd.grad(
                torch.stack(squares).sum(),
                list(self._weights.values()),
                retain_graph=not self._is_last,
                allow_unused=True,
            )
        self._products = {
            name: torch.zeros_like(tensor) if product is None else product.detach()
            for (name, tensor), product in zip(self._weights.items(), products, strict=True)
        }

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with gradients and products."""
        return dataclasses.replace(super().finish(trace), curvature=self._products)


class SampleGradients(Recorder):
    """Differentiates the read-out of one sample at a time, with one backward run for each sample."""

    sees_calls = False
    keeps_graph = True

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Differentiate with respect to `weights`, by name. They become leaves of the graph."""
        self._weights = require_gradients(weights)
        self._gradients: dict[str, Tensor] = {}

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Differentiate the read-out of each sample."""
        rows = [self._of_sample(value) for value in readout]
        self._gradients = {
            name: torch.stack([row[index] for row in rows]) for index, name in enumerate(self._weights)
        }

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the gradients of all samples."""
        return dataclasses.replace(trace, gradients=self._gradients)

    def _of_sample(self, readout: Tensor) -> Sequence[Tensor]:
        tensors = list(self._weights.values())
        if not readout.requires_grad:
            return [torch.zeros_like(tensor) for tensor in tensors]
        gradients: Sequence[Tensor] = torch.autograd.grad(
            readout, tensors, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return gradients


def require_gradients(weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return `weights` after each has become a leaf that requires a gradient."""
    for tensor in weights.values():
        tensor.requires_grad_()
    return weights
