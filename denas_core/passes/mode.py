"""The mode a pass runs under: it sees every function of the network, changes its norms and records its layers."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from denas_core.values.passes import Convolution, LayerCall

from .layers import arguments_of, layer_of, start_of_graph
from .norms import BatchNorms

PER_SAMPLE_NORMS = frozenset(
    {
        F.layer_norm,
        F.group_norm,
        F.instance_norm,
        torch.layer_norm,
        torch.group_norm,
    }
)
RMS_NORMS = frozenset({F.rms_norm, torch.rms_norm})
SOFTMAXES = frozenset({F.softmax, torch.softmax, torch.Tensor.softmax})


class Recorder(Protocol):
    """What a `PassMode` hands the functions of a network to."""

    def __call__(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run `func` as the network would, and keep what is to be kept of it."""

    def sequence_first(self, samples: int) -> AbstractContextManager[None]:
        """Return a context in which layers see (positions, samples, features), or its first two dimensions as one."""


class Observer(Protocol):
    """What a `PassMode` shows the functions of a network to."""

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Look at the arguments of a call."""

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Look at the result of a call, and return what takes its place; None if it stays."""


Arrangement = Callable[[Tensor], Tensor]
"""Brings the rows of a layer's input or output into the order (samples, positions..., features)."""


class PassMode(TorchFunctionMode):
    """Handles normalisation, and on request records and observes layers, while a network runs inside ``with``."""

    def __init__(
        self, norms: BatchNorms, recorder: Recorder | None = None, observers: Sequence[Observer] = ()
    ) -> None:
        super().__init__()
        self._norms = norms
        self._recorder = recorder
        self._observers = tuple(observers)

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.batch_norm:
            return self._norms(*args, **kwargs)
        if self._observers:
            return self._observed(func, args, kwargs)
        return self._handled(func, args, kwargs)

    def _observed(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func is F.multi_head_attention_forward:
            # Its projections are layers too.
            with self:
                return _composite(func)(*args, **kwargs)
        for observer in self._observers:
            observer.before(func, args, kwargs)
        result = self._handled(func, args, kwargs)
        for observer in self._observers:
            replaced = observer.after(func, args, kwargs, result)
            result = result if replaced is None else replaced
        return result

    def _handled(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._norms.policy == "bypass":
            result = self._bypassed(func, args, kwargs)
            if result is not NotImplemented:
                return result
        if self._recorder is None:
            return func(*args, **kwargs)
        if func is F.multi_head_attention_forward:
            query = args[0] if args else kwargs["query"]
            with self._recorder.sequence_first(query.shape[1] if query.dim() == 3 else 1), self:
                return _composite(func)(*args, **kwargs)
        return self._recorder(func, args, kwargs)

    def _bypassed(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func in PER_SAMPLE_NORMS:
            return args[0] if args else kwargs["input"]
        if func in RMS_NORMS:
            return _held_rms_norm(*args, **kwargs)
        if func in SOFTMAXES:
            (logits,) = arguments_of(args, kwargs, "input")
            return func(logits.detach(), *args[1:], **{k: v for k, v in kwargs.items() if k != "input"})
        if func is F.multi_head_attention_forward and self._recorder is None:
            with self:
                return _composite(func)(*args, **kwargs)
        if func is F.scaled_dot_product_attention:
            query, key, value = arguments_of(args, kwargs, "query", "key", "value")
            others = {k: v for k, v in kwargs.items() if k not in ("query", "key", "value")}
            # The other backends repeat the softmax backwards from rounded logits, which are unbounded without norms.
            with sdpa_kernel(SDPBackend.MATH):
                return func(query.detach(), key.detach(), value, *args[3:], **others)
        return NotImplemented


def _held_rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Return `input` divided by its size, which counts as a constant, and times `weight`."""
    dimensions = tuple(range(-len(normalized_shape), 0))
    mean = input.detach().square().mean(dimensions, keepdim=True)
    result = input * torch.rsqrt(mean + (torch.finfo(input.dtype).eps if eps is None else eps))
    return result if weight is None else result * weight


class LayerRecorder:
    """Records the layers that multiply by one of `weights`, and lets gradients start at their outputs.

    Only gradients by layer outputs are computed afterwards: no weight and no input needs one, so that a backward run
    costs a product a layer instead of two.
    """

    def __init__(self, weights: Mapping[str, Tensor], samples: int) -> None:
        """Record calls on a batch of `samples`."""
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() > 1}
        self._samples = samples
        self._sequence_samples: int | None = None
        self._calls: list[_Call] = []
        self._inseparable: set[str] = set()
        self._anchor = torch.zeros((), requires_grad=True)

    def __call__(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run `func` as the network would, and record it if it is a layer."""
        layer = layer_of(func, args, kwargs)
        name = None if layer is None else self._names.get(id(layer.weight))
        if layer is None or name is None or (layer.convolution is None and layer.weight.dim() != 2):
            return func(*args, **kwargs)
        arrangements = self._arrangements(layer.input, layer.convolution)
        if not arrangements:
            self._inseparable.add(name)
            return func(*args, **kwargs)
        edge, output = start_of_graph(func, args, kwargs, layer, self._anchor)
        # Kept without a copy: no network that can be trained overwrites what went into a layer.
        self._calls.append(_Call(name, layer.input, edge, output.shape, layer.convolution, arrangements))
        return output

    def sequence_first(self, samples: int) -> _SequenceFirst:
        """Return a context in which layers see (positions, samples, features), or its first two dimensions as one."""
        return _SequenceFirst(self, samples)

    def differentiate(self, readout: Tensor) -> tuple[LayerCall, ...]:
        """Return the recorded calls with the gradient of the sum of `readout`, (samples,), by their outputs.

        Calls whose shapes do not tell which rows are which sample's cost a second backward run.
        """
        calls = [call for call in self._calls if call.parameter not in self._inseparable]
        if not calls:
            return ()
        ambiguous = [call for call in calls if len(call.arrangements) > 1]
        gradients = _by_outputs(readout.sum(), calls, retain_graph=bool(ambiguous))
        if ambiguous:
            factors = 1 + torch.arange(self._samples).to(readout) / self._samples
            scaled = _by_outputs((factors * readout).sum(), ambiguous, retain_graph=False)
            plain = [gradients[calls.index(call)] for call in ambiguous]
            for call, before, after in zip(ambiguous, plain, scaled, strict=True):
                call.arrangements = [
                    arrange
                    for arrange in call.arrangements
                    if _scales_with_its_sample(arrange(before), arrange(after), factors)
                ]
        inseparable = {call.parameter for call in ambiguous if not call.arrangements}
        return tuple(
            LayerCall(
                parameter=call.parameter,
                inputs=call.arrangements[0](call.input.detach()),
                output_gradient=call.arrangements[0](gradient),
                convolution=call.convolution,
            )
            for call, gradient in zip(calls, gradients, strict=True)
            if call.parameter not in inseparable
        )

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
            # Either way the rows are the same.
            return [sample_major] if input.dim() > 1 else []
        positions = math.prod(input.shape[1:-1])
        if input.dim() > 1 and rows == samples:
            return [_as_it_is] if input.dim() == 2 or positions % samples else [_as_it_is, position_major]
        if input.dim() < 2 or rows * positions % samples:
            return []
        # Whatever is a multiple of the samples can have them outermost or innermost: (samples x positions, features).
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


class _SequenceFirst:
    def __init__(self, recorder: LayerRecorder, samples: int) -> None:
        self._recorder = recorder
        self._samples = samples

    def __enter__(self) -> None:
        self._recorder._sequence_samples = self._samples

    def __exit__(self, *exception: object) -> None:
        self._recorder._sequence_samples = None


def _by_outputs(readout: Tensor, calls: Sequence[_Call], *, retain_graph: bool) -> list[Tensor]:
    gradients = torch.autograd.grad(
        readout, [call.edge for call in calls], retain_graph=retain_graph, allow_unused=True
    )
    return [
        call.input.new_zeros(call.output_shape) if gradient is None else gradient.view(call.output_shape)
        for call, gradient in zip(calls, gradients, strict=True)
    ]


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _scales_with_its_sample(before: Tensor, after: Tensor, factors: Tensor) -> bool:
    """Tell whether gradients, sample first, grew by the factors that their samples' read-outs were given.

    A row of another sample would have grown by another factor, at least 1 / samples away; a row that several samples
    use, by a mixture. Rows that are all rounding noise may do as they like.
    """
    error = (after - factors.view(-1, *[1] * (before.dim() - 1)) * before).norm(dim=-1)
    size = before.norm(dim=-1)
    noise = 8 * torch.finfo(size.dtype).eps * size.max()
    return bool((error <= size / (8 * len(factors)) + noise).all())


def _composite(func: Any) -> Callable[..., Any]:
    """Return `func`, a Python function over other torch functions, without its own first dispatch to the mode.

    Inside `func` as torch calls it the mode is off, and turned on again it would be called for `func` itself.
    """
    names = {**func.__globals__, "has_torch_function": lambda _: False}
    body = types.FunctionType(func.__code__, names, func.__name__, func.__defaults__, func.__closure__)
    body.__kwdefaults__ = func.__kwdefaults__
    return body
