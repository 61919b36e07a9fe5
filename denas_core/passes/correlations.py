"""Records correlations between samples: of the inputs of activation functions, and of gradients by these inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional as F

from denas_core.values.passes import SampleCorrelations, Trace

from .layers import arguments_of
from .recorder import Arguments, Recorder
from .signs import ACTIVATIONS


class CorrelationRecorder(Recorder):
    """Records the correlations of the inputs of activation functions."""

    def __init__(self, samples: int, count_blocks: Callable[[], int], *, with_gradients: bool) -> None:
        """Record the calls of a batch of `samples`.

        Args:
            samples: A call with another first dimension has no samples to compare.
            count_blocks: Returns how many blocks have ended.
            with_gradients: Whether to record correlations of the gradients with respect to the inputs too.
        """
        self._samples = samples
        self._count_blocks = count_blocks
        self._with_gradients = with_gradients
        self._calls: list[_Call] = []
        self._gradients: Sequence[Tensor | None] = ()

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        """Record the input of an activation function, and give the function a copy of it."""
        if func not in ACTIVATIONS:
            return None
        (input,) = arguments_of(args, kwargs, "input")
        if input.dim() < 2 or len(input) != self._samples:
            return None
        changed = None
        if not _is_in_place(func, args, kwargs):
            # With a copy, the gradient of this call does not include other uses of the tensor.
            copy = input.clone()
            changed = (
                tuple(copy if value is input else value for value in args),
                {name: copy if value is input else value for name, value in kwargs.items()},
            )
            input = copy
        edge = get_gradient_edge(input) if self._with_gradients and input.requires_grad else None
        self._calls.append(_Call(self._count_blocks(), correlations_of(input.detach()), edge))
        return changed

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Return a copy of a result that is a view."""
        # A linear layer returns a view. An activation in place would take a view out of the graph.
        return result.clone() if func is F.linear and result._is_view() else None

    def sources(self) -> list[GradientEdge]:
        """Return the edges of the inputs that depend on something differentiable."""
        return [call.edge for call in self._calls if call.edge is not None]

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients with respect to the inputs of activation functions."""
        self._gradients = gradients

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the correlations."""
        left = iter(self._gradients)
        found = []
        for call in self._calls:
            gradient = None if call.edge is None else next(left, None)
            found.append(
                SampleCorrelations(
                    block=call.block,
                    inputs=call.inputs,
                    gradients=None if gradient is None else correlations_of(gradient.detach()),
                )
            )
        return dataclasses.replace(trace, correlations=tuple(found))


def correlations_of(tensor: Tensor) -> Tensor:
    """Return the correlations between the samples of a tensor, in float64; NaN for a sample that does not vary."""
    rows = tensor.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    products = (rows @ rows.T).double()
    sizes = products.diagonal().sqrt()
    return (products / sizes / sizes[:, None]).clamp(-1, 1)


class _Call(NamedTuple):
    block: int
    inputs: Tensor
    edge: GradientEdge | None


def _is_in_place(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return func.__name__.endswith("_") or any(value is True for value in (*args[1:], *kwargs.values()))
