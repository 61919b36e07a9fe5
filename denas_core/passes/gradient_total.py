"""The gradient with respect to one weight, added up over the calls of a layer and the parts of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from denas_core.values.passes import GradientFactors

FEW_ROWS = 0.75
"""Factors with more rows than this share of the smaller side of their matrix are multiplied at once."""


class GradientTotal:
    """A sum of gradients, as factors while it has few rows."""

    def __init__(self, weight: Tensor) -> None:
        """Begin with zero, for a gradient of the shape of `weight`."""
        self._weight = weight
        self._product: Tensor | None = None
        self._outputs: list[Tensor] = []
        self._inputs: list[Tensor] = []
        self._transposed = False
        # A gradient from autograd may be shared, so only a sum that was made here may change in place.
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

    def factors(self) -> GradientFactors | None:
        """Return the factors, or None if they were multiplied or nothing was added."""
        if self._product is not None or not self._outputs:
            return None
        return GradientFactors(outputs=torch.cat(self._outputs), inputs=torch.cat(self._inputs))

    def gradient(self) -> Tensor:
        """Return the gradient, in the shape of the weight."""
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
