"""Parameters, FLOPs and memory of an architecture, counted on the meta device: nothing is computed or allocated."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from denas_core.errors import Infeasible
from denas_core.passes.inputs import samples_of_a_part

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture
    from denas_core.values.passes import PassSpec
    from denas_core.values.views import WeightView

FLOAT_BYTES = 4
MEGABYTE = 1e6

WEIGHT_COPIES = 2
"""The loaded network, and one to spare: what is made on the way, such as weights that are taken from a checkpoint."""

WORKSPACE_BYTES = 3 * 2**26
"""Temporary tensors of Gram matrices: three of 2**24 numbers are alive at one time."""


def count_cost(space: SearchSpace, arch: Architecture) -> dict[str, float]:
    """Return what is known of `arch` without running it, in eval mode and for one sample.

    Returns:
        ``params``, ``trainable_params``, ``params_<part>`` of each part and ``flops`` as integers (a shared parameter
        counts once, a multiply-add is two); ``size_mb``, parameters and buffers with floating-point numbers as float32;
        ``memory_mb``, the same plus the input and the largest sum of activations alive at one time in inference.

    Raises:
        Infeasible: the network is too large for torch to describe.
    """
    model, usage = _measure(space, arch)
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    cost: dict[str, float] = {
        "params": sum(counts.values()),
        "trainable_params": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "flops": usage.flops,
        "size_mb": _weight_bytes(model) / MEGABYTE,
        "memory_mb": (_weight_bytes(model) + usage.input_bytes + usage.peak_bytes) / MEGABYTE,
    }
    for part, prefixes in space.parts(model).items():
        cost[f"params_{part}"] = sum(count for name, count in counts.items() if name.startswith(prefixes))
    return cost


def scoring_memory_bytes(space: SearchSpace, arch: Architecture, passes: Iterable[PassSpec]) -> int:
    """Return an upper estimate of the bytes that running `passes` takes, beside torch itself.

    Weights and what passes leave behind stay until the candidate is done with, what they need meanwhile until the next:
    `WEIGHT_COPIES` of the weights, what each pass leaves, and the most that one needs. A weight that no layer uses in
    the usual way, whose kernel takes a backward run a sample, is not included.

    Raises:
        Infeasible: the network is too large for torch to describe.
    """
    model, usage = _measure(space, arch)
    distinct = list(dict.fromkeys(passes))
    views = space.views(model) if any(spec.roles for spec in distinct) else []
    needs = [
        _needed(spec, model, usage, views)
        for spec in distinct
        if not any(other.covers(spec) for other in distinct if other != spec)
    ]
    kept, meanwhile = sum(left for left, _ in needs), max((more for _, more in needs), default=0)
    return WEIGHT_COPIES * _weight_bytes(model) + kept + meanwhile


def _needed(spec: PassSpec, model: nn.Module, usage: Usage, views: Iterable[WeightView]) -> tuple[int, int]:
    """Return the bytes that a pass leaves behind, and those that it and its score need meanwhile."""
    precision = 2 if spec.dtype == "float64" else 1
    weights = precision * _weight_bytes(model)
    kernels = [parameter.numel() for parameter in model.parameters() if parameter.dim() > 2]
    named = {view.parameter for view in views if any(map(view.has_role, spec.roles))}
    differentiated = precision * sum(
        FLOAT_BYTES * parameter.numel()
        for name, parameter in model.named_parameters()
        if name in named or not spec.roles
    )
    # Kernels alone are copied into another layout.
    copies = weights if precision > 1 or spec.magnitude else FLOAT_BYTES * sum(kernels)
    a_sample = precision * (usage.input_bytes + usage.total_bytes)
    if spec.gradients == "none":
        return copies + spec.size * a_sample, 0
    if spec.gradients == "layers":
        # The gradient of each sample by the largest kernel three times: oneDNN makes it in one layout, and hands it out
        # in another.
        gradients = 3 * precision * FLOAT_BYTES * max(kernels, default=0)
        return copies + 2 * spec.size * a_sample, spec.size * gradients + WORKSPACE_BYTES
    if spec.gradients == "samples":
        return copies + spec.size * differentiated, differentiated + 2 * spec.size * a_sample
    samples = samples_of_a_part(usage.positions, spec.size)
    # Those of a part come beside those of the parts before.
    more = differentiated if samples < spec.size else 0
    return copies + differentiated, more + 2 * samples * a_sample


@dataclasses.dataclass(slots=True)
class Usage:
    """What one forward pass of one sample takes.

    Attributes:
        flops: Multiplications and additions.
        input_bytes: Size of the batch.
        positions: Positions of it, see `Batch`.
        peak_bytes: Largest sum of activations alive at one time.
        total_bytes: All activations together.
    """

    flops: int = 0
    input_bytes: int = 0
    positions: int = 0
    peak_bytes: int = 0
    total_bytes: int = 0


def _measure(space: SearchSpace, arch: Architecture) -> tuple[nn.Module, Usage]:
    with _overflow_explained(space), torch.device("meta"), torch.no_grad():
        model = space.build(arch).eval()
        batch = space.batch(1, seed=0, kind="cost")
        given = [*batch.inputs.values(), *batch.masks.values(), *batch.lengths.values()]
        counter = CostCounter([*given, *model.parameters(), *model.buffers()])
        with counter:
            space.forward(model, batch)
    counter.usage.positions = batch.positions
    counter.usage.input_bytes = sum(tensor.untyped_storage().nbytes() for tensor in given)
    return model, counter.usage


def _weight_bytes(model: nn.Module) -> int:
    return sum(
        tensor.numel() * (FLOAT_BYTES if tensor.is_floating_point() else tensor.element_size())
        for tensor in (*model.parameters(), *model.buffers())
    )


@contextmanager
def _overflow_explained(space: SearchSpace) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, TypeError, OverflowError) as error:
        if "overflow" not in str(error).lower():
            raise
        raise Infeasible(
            f"a network of space {space.id!r} with options {space.options()} is too large to be described "
            "(its sizes overflow 64 bits); choose smaller ones"
        ) from error


class CostCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
    """Counts the FLOPs of every operation and follows the storages of its results, other than those of `given`.

    The formulas are those of `torch.utils.flop_counter`. What an operation without side effects returns depends, on
    meta, on the shapes alone: it is looked up when it comes again, since the meta kernels of torch are slow Python.
    """

    def __init__(self, given: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.usage = Usage()
        storages = (tensor.untyped_storage() for tensor in given)
        self._alive: dict[int, weakref.ref[Any]] = {s._cdata: weakref.ref(s) for s in storages}
        self._alive_bytes = 0
        self._known: dict[Any, tuple[Any, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        key = _key((func, args, *kwargs.items())) if _is_pure(func) else None
        if key in self._known:
            shapes, flops = self._known[key]
            result = _restored(shapes)
        else:
            result = func(*args, **kwargs)
            formula = flop_registry.get(func._overloadpacket)
            flops = int(formula(*args, **kwargs, out_val=result)) if formula else 0
            # A few, such as _unsafe_view, return what they were given, though their schema does not say so.
            if key is not None and _storages(args).isdisjoint(_storages(result)):
                self._known[key] = (_shapes(result), flops)
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


def _is_pure(func: Any) -> bool:
    schema = func._schema
    returns = [str(result.type) == "Tensor" and result.alias_info is None for result in schema.returns]
    return bool(returns) and all(returns) and not schema.is_mutable


def _key(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.shape, value.stride(), value.dtype, value.device
    if isinstance(value, (tuple, list)):
        return tuple(map(_key, value))
    # The type, because 1, 1.0 and True are equal but lead to results of different types.
    return type(value), value


def _storages(value: Any) -> set[int]:
    if isinstance(value, Tensor):
        return {value.untyped_storage()._cdata}
    if isinstance(value, (tuple, list)):
        return set().union(*map(_storages, value))
    return set()


def _shapes(result: Any) -> Any:
    if isinstance(result, Tensor):
        return result.shape, result.stride(), result.dtype
    return [_shapes(tensor) for tensor in result]


def _restored(shapes: Any) -> Any:
    if isinstance(shapes, list):
        return tuple(_restored(shape) for shape in shapes)
    size, stride, dtype = shapes
    return torch.empty_strided(size, stride, dtype=dtype, device="meta")
