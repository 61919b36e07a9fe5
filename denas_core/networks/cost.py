"""Count parameters, FLOPs and memory of a network on the meta device: nothing is computed or allocated."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from denas_core.errors import Infeasible

from .uninitialised import Uninitialised

if TYPE_CHECKING:
    from denas_core.values.batch import Batch

FLOAT_BYTES = 4
MEGABYTE = 1e6
MOST_KNOWN = 100_000

KnownResults = dict[Any, tuple[Any, int]]
"""For operations on the meta device, the shapes of their results and their FLOPs."""


def count_cost(
    build: Callable[[], nn.Module],
    *,
    batch: Callable[[], Batch],
    forward: Callable[[nn.Module, Batch], object],
    parts: Callable[[nn.Module], Mapping[str, tuple[str, ...]]] | None = None,
    name: str = "the network",
    known: KnownResults | None = None,
) -> dict[str, float]:
    """Return the cost of a network in eval mode for one sample. No tensor is computed.

    Args:
        build: Makes the structure of the network. It is called with the meta device as default.
        batch: Makes one sample. It is called with the meta device as default.
        forward: Runs the network on the sample.
        parts: Returns the prefixes of parameter names by part; the parameters of each part are then counted.
        name: The name of the network in an error.
        known: Results of operations that earlier networks ran; those of this network are added.

    Returns:
        ``params``, ``trainable_params``, ``params_<part>`` of each part and ``flops`` as integers (a shared parameter
        counts once, a multiply-add counts as two); ``size_mb``, the size of parameters and buffers with floating-point
        numbers as float32; ``memory_mb``, the same plus the input and the largest sum of activations that exist at the
        same time in inference.

    Raises:
        Infeasible: the sizes of the network are too large for torch.
    """
    model, usage = measure_on_meta(build, batch=batch, forward=forward, name=name, known=known)
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    cost: dict[str, float] = {
        "params": sum(counts.values()),
        "trainable_params": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "flops": usage.flops,
        "size_mb": weight_bytes(model) / MEGABYTE,
        "memory_mb": (weight_bytes(model) + usage.input_bytes + usage.peak_bytes) / MEGABYTE,
    }
    for part, prefixes in (parts(model) if parts else {}).items():
        cost[f"params_{part}"] = sum(count for name, count in counts.items() if name.startswith(prefixes))
    return cost


@dataclasses.dataclass(slots=True)
class Usage:
    """The cost of one forward pass of one sample.

    Attributes:
        flops: Number of multiplications and additions.
        input_bytes: Size of the batch.
        positions: Number of positions of the batch, see `Batch`.
        peak_bytes: Largest size of the activations that exist at the same time.
        total_bytes: Size of all activations together.
    """

    flops: int = 0
    input_bytes: int = 0
    positions: int = 0
    peak_bytes: int = 0
    total_bytes: int = 0


def measure_on_meta(
    build: Callable[[], nn.Module],
    *,
    batch: Callable[[], Batch],
    forward: Callable[[nn.Module, Batch], object],
    name: str = "the network",
    known: KnownResults | None = None,
) -> tuple[nn.Module, Usage]:
    """Build a network on the meta device, run it once, and return it with the cost of the run; see `count_cost`.

    Raises:
        Infeasible: the sizes of the network are too large for torch.
    """
    with _explain_overflow(name), torch.device("meta"), torch.no_grad():
        with Uninitialised():
            model = build().eval()
        sample = batch()
        given = [*sample.inputs.values(), *sample.masks.values(), *sample.lengths.values()]
        counter = CostCounter([*given, *model.parameters(), *model.buffers()], known)
        with counter:
            forward(model, sample)
    counter.usage.positions = sample.positions
    counter.usage.input_bytes = sum(tensor.untyped_storage().nbytes() for tensor in given)
    return model, counter.usage


def weight_bytes(model: nn.Module) -> int:
    """Return the size of parameters and buffers in bytes, with floating-point numbers as float32."""
    return sum(
        tensor.numel() * (FLOAT_BYTES if tensor.is_floating_point() else tensor.element_size())
        for tensor in (*model.parameters(), *model.buffers())
    )


@contextmanager
def _explain_overflow(name: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, TypeError, OverflowError) as error:
        if "overflow" not in str(error).lower():
            raise
        raise Infeasible(
            f"{name} is too large: its sizes do not fit into 64 bits; choose smaller options"
        ) from error


class CostCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
    """Counts the FLOPs of every operation, and the memory of its results, without the tensors in `given`.

    The formulas are those of `torch.utils.flop_counter`. On the meta device, the result of an operation without side
    effects depends on shapes alone. It is therefore stored and reused, because the meta kernels of torch are slow
    Python.

    Args:
        given: Tensors that exist in any case.
        known: Results that other counters have stored.
    """

    def __init__(self, given: Iterable[Tensor], known: KnownResults | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.usage = Usage()
        storages = (tensor.untyped_storage() for tensor in given)
        self._alive: dict[int, weakref.ref[Any]] = {s._cdata: weakref.ref(s) for s in storages}
        self._alive_bytes = 0
        self._known: KnownResults = {} if known is None else known
        if len(self._known) > MOST_KNOWN:
            self._known.clear()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        key = key_of((func, args, *kwargs.items())) if is_pure(func) else None
        if key in self._known:
            shapes, flops = self._known[key]
            result = empty_tensors(shapes)
        else:
            result = func(*args, **kwargs)
            formula = flop_registry.get(func._overloadpacket)
            flops = int(formula(*args, **kwargs, out_val=result)) if formula else 0
            # A few operations, such as _unsafe_view, return their argument, but their schema does not say so.
            if key is not None and storages_of(args).isdisjoint(storages_of(result)):
                self._known[key] = (shapes_of(result), flops)
        self.usage.flops += flops
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, Tensor):
                self._follow(tensor.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        address, size = storage._cdata, storage.nbytes()
        if address in self._alive:
            return

        def release(_: Any) -> None:
            del self._alive[address]
            self._alive_bytes -= size

        self._alive[address] = weakref.ref(storage, release)
        self._alive_bytes += size
        self.usage.total_bytes += size
        self.usage.peak_bytes = max(self.usage.peak_bytes, self._alive_bytes)


def is_pure(func: Any) -> bool:
    schema = func._schema
    returns = [str(result.type) == "Tensor" and result.alias_info is None for result in schema.returns]
    return bool(returns) and all(returns) and not schema.is_mutable


def key_of(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.shape, value.stride(), value.dtype, value.device
    if isinstance(value, (tuple, list)):
        return tuple(map(key_of, value))
    # The type is part of the key, because 1, 1.0 and True are equal but lead to results of different types.
    return type(value), value


def storages_of(value: Any) -> set[int]:
    if isinstance(value, Tensor):
        return {value.untyped_storage()._cdata}
    if isinstance(value, (tuple, list)):
        return set().union(*map(storages_of, value))
    return set()


def shapes_of(result: Any) -> Any:
    if isinstance(result, Tensor):
        return result.shape, result.stride(), result.dtype
    return [shapes_of(tensor) for tensor in result]


def empty_tensors(shapes: Any) -> Any:
    if isinstance(shapes, list):
        return tuple(empty_tensors(shape) for shape in shapes)
    size, stride, dtype = shapes
    return torch.empty_strided(size, stride, dtype=dtype, device="meta")
