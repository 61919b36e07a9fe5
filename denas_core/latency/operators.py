"""The operators that a network runs in inference, read on the meta device: nothing is computed."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from denas_core.networks.cost import empty_tensors, is_pure, key_of, shapes_of, storages_of
from denas_core.networks.uninitialised import Uninitialised
from denas_core.seeding import canonical_json

T = TypeVar("T")

MOST_REMEMBERED = 100_000

_PRODUCTS = frozenset(
    {torch.ops.aten.linear.default, torch.ops.aten.conv1d.default, torch.ops.aten.conv2d.default}
)
"""Operators of an input and a weight, each of whose outputs takes one multiply-add for each weight of its row."""


@dataclasses.dataclass(frozen=True, slots=True)
class Operator:
    """One call of an operator, without its data. Two calls are equal if they take the same time.

    Attributes:
        name: Name of the operator in torch, such as ``aten.linear.default``.
        arguments: Positional and named arguments as JSON, see `describe_arguments`.
        flops: Multiplications and additions; 0 for an operator that only moves data.
        bytes: Size of all arguments and results; 0 if the result is a view of an argument.
    """

    name: str
    arguments: str
    flops: int
    bytes: int


class OperatorReader:
    """Reads the operators of networks. What an operator returns is remembered, because meta kernels are slow Python."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[Any, Operator]] = {}

    def read(
        self,
        build: Callable[[], nn.Module],
        inputs: Callable[[], T],
        run: Callable[[nn.Module, T], object],
    ) -> Counter[Operator]:
        """Return how often a network calls each operator in one forward pass.

        Args:
            build: Makes the structure of the network. It is called with the meta device as default.
            inputs: Makes the inputs, with the meta device as default. Their operators do not count.
            run: Runs the network on the inputs.
        """
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        # In inference mode, torch passes on whole operators, such as linear and attention. Otherwise it takes them
        # apart into steps that the processor does not run one by one.
        with torch.device("meta"), torch.inference_mode():
            with Uninitialised():
                model = build().eval()
            made = inputs()
            with _Recorder(self._known) as recorder:
                run(model, made)
        counts: Counter[Operator] = recorder.counts
        return counts


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
    def __init__(self, known: dict[Any, tuple[Any, Operator]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[Operator] = Counter()
        self._known = known

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        key = key_of((func, args, *kwargs.items()))
        if key in self._known:
            shapes, operator = self._known[key]
            self.counts[operator] += 1
            return func(*args, **kwargs) if shapes is None else empty_tensors(shapes)
        result, flops = _run(func, args, kwargs)
        shared = not storages_of((args, *kwargs.values())).isdisjoint(storages_of(result))
        operator = Operator(
            str(func),
            canonical_json(describe_arguments(args, kwargs)),
            flops,
            0 if shared else _bytes_of((args, *kwargs.values())) + _bytes_of(result),
        )
        self._known[key] = (shapes_of(result) if is_pure(func) and not shared else None), operator
        self.counts[operator] += 1
        return result


def _run(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, int]:
    """Return the result of an operator and its FLOPs, which are those that `FlopCounterMode` counts."""
    formula = flop_registry.get(func._overloadpacket)
    if formula is not None:
        result = func(*args, **kwargs)
        return result, int(formula(*args, **kwargs, out_val=result))
    if func in _PRODUCTS:
        result = func(*args, **kwargs)
        return result, 2 * result.numel() * args[1][0].numel()
    if not torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
        return func(*args, **kwargs), 0
    # The mode is slow. Only operators that torch takes apart into others need it.
    with FlopCounterMode(display=False) as counter:
        result = func(*args, **kwargs)
    return result, counter.get_total_flops()


def describe_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """Return the arguments of a call as JSON can represent them: positional ones, then named ones.

    A tensor is ``{"shape": ..., "dtype": ...}``, with ``"stride"`` if it is not contiguous. Devices are left out,
    because the call is timed on another device than the one on which it was read.
    """
    return [
        [_described(value) for value in args],
        {name: _described(value) for name, value in kwargs.items() if not isinstance(value, torch.device)},
    ]


def _described(value: Any) -> Any:
    if isinstance(value, Tensor):
        about: dict[str, Any] = {
            "shape": list(value.shape),
            "dtype": str(value.dtype).removeprefix("torch."),
        }
        if not value.is_contiguous():
            about["stride"] = list(value.stride())
        return about
    if isinstance(value, (tuple, list)):
        return [_described(item) for item in value]
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format, torch.device)):
        return {type(value).__name__: str(value).removeprefix("torch.")}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value if isinstance(value, (bool, int, float, str, type(None))) else {"unknown": str(type(value))}


def _bytes_of(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, (tuple, list)):
        return sum(map(_bytes_of, value))
    return 0
