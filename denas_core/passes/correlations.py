"""Correlations between samples of what goes into activation functions, and of the gradients by it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional as F

from denas_core.values.passes import SampleCorrelations

from .layers import arguments_of
from .signs import ACTIVATIONS


class CorrelationRecorder:
    """Runs the functions of a network, and records what goes into its activation functions."""

    def __init__(self, samples: int, block: Callable[[], int]) -> None:
        """Record calls on a batch of `samples`.

        Args:
            samples: A call whose first dimension is another number has no samples to compare.
            block: Returns how many blocks have ended.
        """
        self._samples = samples
        self._block = block
        self._calls: list[_Call] = []

    def __call__(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run `func` as the network would, and record it if it is an activation function."""
        if func not in ACTIVATIONS:
            result = func(*args, **kwargs)
            # What a linear layer returns is a view, which an activation in place would take out of the graph.
            is_view = func is F.linear and result._is_view()
            return result.clone() if is_view else result
        (input,) = arguments_of(args, kwargs, "input")
        if input.dim() < 2 or len(input) != self._samples:
            return func(*args, **kwargs)
        if not _is_in_place(func, args, kwargs):
            # A copy of its own: others that use the tensor do not count in the gradient of this call.
            copy = input.clone()
            args = tuple(copy if value is input else value for value in args)
            kwargs = {name: copy if value is input else value for name, value in kwargs.items()}
            input = copy
        edge = get_gradient_edge(input) if input.requires_grad else None
        self._calls.append(_Call(self._block(), correlations_of(input.detach()), edge))
        return func(*args, **kwargs)

    def sequence_first(self, samples: int) -> contextlib.AbstractContextManager[None]:
        """Return a context that changes nothing."""
        return contextlib.nullcontext()

    def edges(self) -> list[GradientEdge]:
        """Return where gradients by the inputs start, of the calls that depend on something differentiable."""
        return [call.edge for call in self._calls if call.edge is not None]

    def calls(self, gradients: Sequence[Tensor | None] | None) -> tuple[SampleCorrelations, ...]:
        """Return the recorded calls, with the gradients at `edges` in their order, if there are any."""
        left = iter(gradients or ())
        found = []
        for call in self._calls:
            gradient = next(left) if gradients is not None and call.edge is not None else None
            found.append(
                SampleCorrelations(
                    block=call.block,
                    inputs=call.inputs,
                    gradients=None if gradient is None else correlations_of(gradient.detach()),
                )
            )
        return tuple(found)


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
