"""The mode in which the network of a pass runs: it replaces norms and shows each call to the recorders."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from .layers import arguments_of
from .norms import BatchNorms
from .recorder import Recorder

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


class PassMode(TorchFunctionMode):
    """Replaces norms and shows each call of a torch function to the recorders, while a network runs inside ``with``."""

    def __init__(self, norms: BatchNorms, recorders: Sequence[Recorder] = ()) -> None:
        """Replace batch norms by `norms`, and let each of `recorders` change arguments and results in this order."""
        super().__init__()
        self._norms = norms
        self._recorders = [recorder for recorder in recorders if recorder.sees_calls]

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
        if not self._recorders:
            return self._run(func, args, kwargs)
        if func is F.multi_head_attention_forward:
            return self._attend(func, args, kwargs)
        changed = args, kwargs
        for recorder in self._recorders:
            changed = recorder.before(func, *changed) or changed
        result = self._run(func, *changed)
        for recorder in self._recorders:
            replaced = recorder.after(func, args, kwargs, result)
            result = result if replaced is None else replaced
        return result

    def _attend(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run multi-head attention as separate functions, because its projections are layers too."""
        query = args[0] if args else kwargs["query"]
        with contextlib.ExitStack() as contexts:
            for recorder in self._recorders:
                contexts.enter_context(recorder.sequence_first(query.shape[1] if query.dim() == 3 else 1))
            contexts.enter_context(self)
            return _composite(func)(*args, **kwargs)

    def _run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._norms.policy == "bypass":
            result = self._bypassed(func, args, kwargs)
            if result is not NotImplemented:
                return result
        return func(*args, **kwargs)

    def _bypassed(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func in PER_SAMPLE_NORMS:
            return args[0] if args else kwargs["input"]
        if func in RMS_NORMS:
            return _held_rms_norm(*args, **kwargs)
        if func in SOFTMAXES:
            (logits,) = arguments_of(args, kwargs, "input")
            return func(logits.detach(), *args[1:], **{k: v for k, v in kwargs.items() if k != "input"})
        if func is F.multi_head_attention_forward:
            return self._attend(func, args, kwargs)
        if func is F.scaled_dot_product_attention:
            query, key, value = arguments_of(args, kwargs, "query", "key", "value")
            others = {k: v for k, v in kwargs.items() if k not in ("query", "key", "value")}
            # Other backends compute the softmax again in the backward run, from rounded logits. Without norms, logits
            # have no bound.
            with sdpa_kernel(SDPBackend.MATH):
                return func(query.detach(), key.detach(), value, *args[3:], **others)
        return NotImplemented


def _held_rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Return `input` times `weight`, divided by its size, which counts as a constant."""
    dimensions = tuple(range(-len(normalized_shape), 0))
    mean = input.detach().square().mean(dimensions, keepdim=True)
    result = input * torch.rsqrt(mean + (torch.finfo(input.dtype).eps if eps is None else eps))
    return result if weight is None else result * weight


def _composite(func: Any) -> Callable[..., Any]:
    """Return `func`, a Python function that calls other torch functions, without its own dispatch to the mode.

    While torch runs `func`, the mode is off. If it were turned on again, torch would call it for `func` itself.
    """
    names = {**func.__globals__, "has_torch_function": lambda _: False}
    body = types.FunctionType(func.__code__, names, func.__name__, func.__defaults__, func.__closure__)
    body.__kwdefaults__ = func.__kwdefaults__
    return body
