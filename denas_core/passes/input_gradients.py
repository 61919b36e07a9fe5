"""Gradients with respect to the input of a network: its continuous inputs, or the embeddings of its tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional as F

from denas_core.errors import ScoreFailed
from denas_core.values.batch import Batch
from denas_core.values.passes import Trace

from .recorder import Recorder

EMBEDDINGS = frozenset({F.embedding, torch.embedding})


class InputLeaves(Recorder):
    """Makes the continuous inputs leaves of the graph. If there are none, it makes the embeddings leaves."""

    def __init__(self, samples: int) -> None:
        """Handle a batch of `samples`."""
        self._samples = samples
        self._inputs: dict[str, Tensor] = {}
        self._embedded: dict[str, _Embedded] = {}

    def change_batch(self, batch: Batch) -> Batch:
        """Return the batch with leaves."""
        self._inputs = {name: batch.inputs[name].detach().requires_grad_() for name in batch.perturbable}
        return dataclasses.replace(batch, inputs={**batch.inputs, **self._inputs})

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Make the embeddings of samples leaves."""
        if self._inputs or func not in EMBEDDINGS or len(result) != self._samples or result.dim() < 3:
            return None
        # The network gets a view, because a leaf would not survive an operation in place.
        embedded = result.detach().requires_grad_().view_as(result)
        self._embedded[f"embedding{len(self._embedded)}"] = _Embedded(embedded)
        return embedded


class InputGradients(InputLeaves):
    """Differentiates the read-out with respect to each input; the first dimension of a gradient is the sample."""

    def __init__(self, samples: int) -> None:
        """Handle a batch of `samples`."""
        super().__init__(samples)
        self._gradients: dict[str, Tensor] = {}

    def sources(self) -> list[Tensor | GradientEdge]:
        """Return the inputs, or the edges of embeddings.

        Raises:
            ScoreFailed: the network has neither continuous inputs nor embeddings.
        """
        if not self._inputs and not self._embedded:
            raise ScoreFailed("the network has neither a continuous input nor embeddings to differentiate by")
        return [*self._inputs.values(), *(embedded.edge for embedded in self._embedded.values())]

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients."""
        shapes = {
            **{name: tensor.shape for name, tensor in self._inputs.items()},
            **{name: embedded.shape for name, embedded in self._embedded.items()},
        }
        self._gradients = {
            name: readout.new_zeros(shape) if gradient is None else gradient.reshape(shape)
            for (name, shape), gradient in zip(shapes.items(), gradients, strict=True)
        }

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the gradients."""
        return dataclasses.replace(trace, input_gradients=self._gradients)


class _Embedded:
    def __init__(self, tensor: Tensor) -> None:
        self.edge: GradientEdge = get_gradient_edge(tensor)
        self.shape = tensor.shape
