"""Gradients by what goes into a network: its continuous inputs, or the embeddings of its tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional as F

from denas_core.errors import ScoreFailed
from denas_core.values.batch import Batch

EMBEDDINGS = frozenset({F.embedding, torch.embedding})


class InputGradients:
    """Makes inputs, or embeddings where no input is continuous, the start of the graph, and differentiates by them."""

    def __init__(self, batch: Batch, samples: int) -> None:
        """Differentiate by the continuous inputs of `batch`, of `samples`."""
        self._samples = samples
        self._inputs = {name: batch.inputs[name].detach().requires_grad_() for name in batch.perturbable}
        self._embedded: dict[str, tuple[GradientEdge, torch.Size]] = {}
        self.batch = dataclasses.replace(batch, inputs={**batch.inputs, **self._inputs})

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do nothing: embeddings are what comes out."""

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Make the embeddings of the samples leaves of the graph."""
        if self._inputs or func not in EMBEDDINGS or len(result) != self._samples or result.dim() < 3:
            return None
        # A view, since a leaf would not survive an operation in place.
        embedded = result.detach().requires_grad_().view_as(result)
        self._embedded[f"embedding{len(self._embedded)}"] = (get_gradient_edge(embedded), embedded.shape)
        return embedded

    def of(self, readout: Tensor, *, retain_graph: bool) -> Mapping[str, Tensor]:
        """Return the gradient of the sum of `readout` by each input, sample first.

        Raises:
            ScoreFailed: the network has neither continuous inputs nor embeddings.
        """
        names = [*self._inputs, *self._embedded]
        if not names:
            raise ScoreFailed("the network has neither a continuous input nor embeddings to differentiate by")
        shapes = [
            *(tensor.shape for tensor in self._inputs.values()),
            *(s for _, s in self._embedded.values()),
        ]
        if not readout.requires_grad:
            return {name: torch.zeros(shape) for name, shape in zip(names, shapes, strict=True)}
        sources: list[Any] = [*self._inputs.values(), *(edge for edge, _ in self._embedded.values())]
        gradients = torch.autograd.grad(readout.sum(), sources, retain_graph=retain_graph, allow_unused=True)
        return {
            name: readout.new_zeros(shape) if gradient is None else gradient.reshape(shape)
            for name, shape, gradient in zip(names, shapes, gradients, strict=True)
        }
