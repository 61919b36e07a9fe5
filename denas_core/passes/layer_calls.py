"""Records the inputs of layers and the gradients with respect to their outputs, with the sample of each row."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from denas_core.values.passes import Convolution, LayerCall, Trace

from .layers import Layer, layer_of, output_edge, with_flat_input
from .recorder import Arguments, Recorder

Arrangement = Callable[[Tensor], Tensor]
"""Brings the rows of a layer's input or output into the order (samples, positions..., features)."""


class LayerRecorder(Recorder):
    """Records the layers that multiply by one of `weights`, and gradients with respect to their outputs.

    Neither weights nor inputs need a gradient, so a backward run costs one product for each layer instead of two.
    """

    def __init__(self, weights: Mapping[str, Tensor], samples: int) -> None:
        """Record the calls that use `weights`, by name, on a batch of `samples`."""
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() > 1}
        self._samples = samples
        self._sequence_samples: int | None = None
        self._calls: list[_Call] = []
        self._inseparable: set[str] = set()
        self._running: tuple[str, Layer, list[Arrangement]] | None = None
        self._records: tuple[LayerCall, ...] = ()
        self._anchor = torch.zeros((), requires_grad=True)

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        """Give a recorded layer an input of two dimensions."""
        self._running = None
        layer = layer_of(func, args, kwargs)
        name = None if layer is None else self._names.get(id(layer.weight))
        if layer is None or name is None or (layer.convolution is None and layer.weight.dim() != 2):
            return None
        arrangements = self._arrangements(layer.input, layer.convolution)
        if not arrangements:
            self._inseparable.add(name)
            return None
        self._running = name, layer, arrangements
        return with_flat_input(args, kwargs, layer)

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Record the call, and return an output from which gradients can start."""
        if self._running is None:
            return None
        (name, layer, arrangements), self._running = self._running, None
        edge, output = output_edge(layer, result, self._anchor)
        # No copy is needed, because no network that can be trained overwrites the input of a layer.
        self._calls.append(_Call(name, layer.input, edge, output.shape, layer.convolution, arrangements))
        return output

    @contextlib.contextmanager
    def sequence_first(self, samples: int) -> Iterator[None]:
        """Return a context in which layers see (positions, samples, features), or its first two dimensions as one."""
        self._sequence_samples = samples
        try:
            yield
        finally:
            self._sequence_samples = None

    @property
    def keeps_graph(self) -> bool:  # type: ignore[override]
        """Whether the shape of a call leaves open which rows belong to which sample."""
        return any(len(call.arrangements) > 1 for call in self._separable())

    def sources(self) -> list[GradientEdge]:
        """Return the edges of the outputs."""
        return [call.edge for call in self._separable()]

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients with respect to the outputs.

        Calls whose shapes leave open which rows belong to which sample cost a second backward run.
        """
        calls = self._separable()
        found = [call.shaped(gradient) for call, gradient in zip(calls, gradients, strict=True)]
        ambiguous = [
            (call, before) for call, before in zip(calls, found, strict=True) if len(call.arrangements) > 1
        ]
        if ambiguous:
            factors = 1 + torch.arange(self._samples).to(readout) / self._samples
            scaled = torch.autograd.grad(
                (factors * readout).sum(), [call.edge for call, _ in ambiguous], allow_unused=True
            )
            for (call, before), gradient in zip(ambiguous, scaled, strict=True):
                after = call.shaped(gradient)
                call.arrangements = [
                    arrange
                    for arrange in call.arrangements
                    if _scales_with_its_sample(arrange(before), arrange(after), factors)
                ]
        inseparable = {call.parameter for call, _ in ambiguous if not call.arrangements}
        self._records = tuple(
            LayerCall(
                parameter=call.parameter,
                inputs=call.arrangements[0](call.input.detach()),
                output_gradient=call.arrangements[0](gradient),
                convolution=call.convolution,
            )
            for call, gradient in zip(calls, found, strict=True)
            if call.parameter not in inseparable
        )

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with one record for each call of a layer."""
        return dataclasses.replace(trace, layers=self._records)

    def _separable(self) -> list[_Call]:
        return [call for call in self._calls if call.parameter not in self._inseparable]

    def _arrangements(self, input: Tensor, convolution: Convolution | None) -> list[Arrangement]:
        """Return the ways in which the rows of `input` may belong to samples; its shape may allow several."""
        rows, samples = input.shape[0], self._samples
        if convolution is not None:
            return [_as_it_is] if rows == samples and input.dim() == len(convolution.kernel) + 2 else []

        def sample_major(tensor: Tensor) -> Tensor:
            return tensor.reshape(samples, -1, tensor.shape[-1])

        def position_major(tensor: Tensor) -> Tensor:
            return tensor.reshape(-1, samples, tensor.shape[-1]).transpose(0, 1)

        if self._sequence_samples is not None:
            return [position_major] if self._sequence_samples == samples else []
        if samples == 1:
            # Both arrangements have the same rows.
            return [sample_major] if input.dim() > 1 else []
        positions = math.prod(input.shape[1:-1])
        if input.dim() > 1 and rows == samples:
            return [_as_it_is] if input.dim() == 2 or positions % samples else [_as_it_is, position_major]
        if input.dim() < 2 or rows * positions % samples:
            return []
        # The rows may be ordered by sample first or by position first.
        return [sample_major, position_major]


class _Call:
    """One recorded call, before its gradient is known."""

    def __init__(
        self,
        parameter: str,
        input: Tensor,
        edge: GradientEdge,
        output_shape: torch.Size,
        convolution: Convolution | None,
        arrangements: list[Arrangement],
    ) -> None:
        self.parameter = parameter
        self.input = input
        self.output_shape = output_shape
        self.edge = edge
        self.convolution = convolution
        self.arrangements = arrangements

    def shaped(self, gradient: Tensor | None) -> Tensor:
        """Return a gradient in the shape of the output; None stands for zero."""
        if gradient is None:
            return self.input.new_zeros(self.output_shape)
        return gradient.view(self.output_shape)


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _scales_with_its_sample(before: Tensor, after: Tensor, factors: Tensor) -> bool:
    """Return whether the gradients of each sample, which comes first, have grown by the factor of its read-out.

    The factors of two samples differ by at least 1 / samples. A row that several samples use grows by a mixture of
    their factors. Rows that contain only rounding errors are not compared.
    """
    error = (after - factors.view(-1, *[1] * (before.dim() - 1)) * before).norm(dim=-1)
    size = before.norm(dim=-1)
    noise = 8 * torch.finfo(size.dtype).eps * size.max()
    return bool((error <= size / (8 * len(factors)) + noise).all())
