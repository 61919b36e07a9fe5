"""One run of a network that records which members of its weights meet."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from denas_core.errors import ConfigError

from . import contractions, elementwise
from .elementwise import Slots
from .operations import MOVES, OF_VALUES, POOLS, REDUCTIONS, RULES, SAME, SOURCES
from .slots import along, varying
from .units import Units

if TYPE_CHECKING:
    from torch import nn


@dataclasses.dataclass(slots=True)
class Call:
    """One call of a module that takes one tensor and returns one of the same shape."""

    name: str
    is_sequence: bool
    before: Slots
    after: Slots


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the members of all weights through one call of a network.

    Attributes:
        units: The units that the members form.
        members: The members of each dimension of each parameter and buffer, by its name.
        calls: The calls of items of containers.
        outputs: The units of the outputs of the network.
        unknown: Names of the operations for which there is no rule. What reaches them is locked.
        used: Names of the parameters and buffers that took part.
    """

    def __init__(self, units: Units) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.units = units
        self.members: dict[str, list[Tensor]] = {}
        self.unknown: set[str] = set()
        self.used: set[str] = set()
        self.calls: list[Call] = []
        self.outputs: set[int] = set()
        self._known: dict[int, tuple[Tensor, Slots]] = {}
        self._names: dict[int, str] = {}
        self._from_inputs: set[int] = set()

    def follow(self, model: nn.Module, members: Mapping[str, list[Tensor]] | None) -> None:
        """Give each dimension of each parameter and buffer its members; by default new ones."""
        for name, tensor in named_tensors(model):
            if tensor.dim() == 0:
                continue
            own = [self.units.new(size) for size in tensor.shape] if members is None else members[name]
            self.members[name] = own
            self._names[id(tensor)] = name
            slots = [along(each, dim, tensor.shape) for dim, each in enumerate(own)]
            self._known[id(tensor)] = (tensor, [slot for slot in slots if varying(slot)])

    def slots_of(self, tensor: Tensor) -> Slots:
        """Return the slots of a tensor; none if it has no members."""
        return self._known[id(tensor)][1] if id(tensor) in self._known else []

    def mark_inputs(self, inputs: Any) -> None:
        """Remember the tensors that decisions of the network must not depend on."""
        for tensor in tree_leaves(inputs):
            if isinstance(tensor, Tensor):
                self._remember(tensor, [])
                self._from_inputs.add(id(tensor))

    def lock_outputs(self, outputs: Any) -> None:
        """Lock everything that an output of the network has a member of."""
        for tensor in tree_leaves(outputs):
            if isinstance(tensor, Tensor):
                for slot in self.slots_of(tensor):
                    self.units.lock(slot)
                    self.outputs.update(self.units.find(member) for member in torch.unique(slot).tolist())

    def found_units(self) -> dict[str, list[Tensor]]:
        """Return the unit of each member of each dimension of the weights, by name of the weight."""
        return {
            name: [torch.tensor([self.units.find(member) for member in each.tolist()]) for each in own]
            for name, own in self.members.items()
        }

    def lock_unused(self) -> None:
        """Lock the members of weights that took no part in the call."""
        for name, own in self.members.items():
            if name not in self.used:
                for members in own:
                    self.units.lock(members)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, and let the members follow it."""
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        depends = any(id(tensor) in self._from_inputs for tensor in given)
        if name in OF_VALUES and depends:
            raise ConfigError(
                f"the network decides by the values of its inputs ({name}{_place()}); it cannot be traced"
            )
        self.used.update(self._names[id(tensor)] for tensor in given if id(tensor) in self._names)
        out = func(*args, **kwargs)
        outputs = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        found: list[Slots] = [[] for _ in outputs]
        if any(self.slots_of(tensor) for tensor in given):
            found = self._follow(func, name, args, kwargs, outputs)
        for place, tensor in enumerate(outputs):
            self._remember(tensor, found[place] if place < len(found) else [])
            if depends:
                self._from_inputs.add(id(tensor))
        return out

    def _remember(self, tensor: Tensor, slots: Slots) -> None:
        kept = []
        for slot in slots:
            if varying(slot):
                kept.append(slot)
            elif slot.numel():
                # A single member is picked out by its place.
                self.units.lock(slot)
        self._known[id(tensor)] = (tensor, kept)

    def _follow(self, func: Any, name: str, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        base = name.rstrip("_") if not name.startswith("_") else "_" + name.strip("_")
        rule = self._rule(func, base)
        if rule is None or not outputs:
            given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
            for tensor in given:
                for slot in self.slots_of(tensor):
                    self.units.lock(slot)
            if outputs:
                self.unknown.add(name)
            return []
        return rule(func, args, kwargs, outputs)

    def _rule(self, func: Any, base: str) -> Callable[..., list[Slots]] | None:
        own = getattr(self, f"_{base.strip('_')}", None)
        if own is not None and base.strip("_") in RULES:
            return own  # type: ignore[no-any-return]
        if base in SOURCES:
            return lambda *_: []
        if base in MOVES:
            return self._move
        if base in REDUCTIONS:
            return self._reduce
        if base.startswith(POOLS):
            return self._pool
        if base.startswith("_scaled_dot_product"):
            return self._attention
        if base in SAME or torch.Tag.pointwise in func.tags:
            return self._elementwise
        return None

    def _pairs(self, tensors: Any) -> list[tuple[torch.Size, Slots]]:
        return [(t.shape, self.slots_of(t)) for t in tree_leaves(tensors) if isinstance(t, Tensor)]

    def _move(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        shapes = [tensor.shape for tensor in outputs]
        name = func._schema.name
        if name in ("aten::view", "aten::_unsafe_view", "aten::_to_copy", "aten::clone", "aten::contiguous"):
            return elementwise.moved(lambda slot: slot.reshape(shapes[0]), self.slots_of(args[0]), (), shapes)
        if name == "aten::as_strided":
            for slot in self.slots_of(args[0]):
                self.units.lock(slot)
            return []
        return elementwise.moved(func, self.slots_of(args[0]), args[1:], shapes)

    def _elementwise(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        shape = outputs[0].shape
        return [elementwise.combined(self.units, self._pairs((args, kwargs)), shape)] * len(outputs)

    def _reduce(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        named = {a.name: v for a, v in zip(func._schema.arguments, args, strict=False)} | kwargs
        dims = named.get("dim")
        dims = [dims] if isinstance(dims, int) else dims
        keepdim = bool(named.get("keepdim", False))
        return [
            elementwise.reduced(self.slots_of(args[0]), dims, keepdim, tensor.shape) for tensor in outputs
        ]

    def _pool(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        return [elementwise.pooled(self.units, self.slots_of(args[0]), tensor.shape) for tensor in outputs]

    def _cat(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        return [elementwise.concatenated(self.units, self._pairs(args[0]), dim, outputs[0].shape)]

    def _stack(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        dim = (args[1] if len(args) > 1 else kwargs.get("dim", 0)) % outputs[0].dim()
        parts = [
            (torch.Size([*size[:dim], 1, *size[dim:]]), [slot.unsqueeze(dim) for slot in slots])
            for size, slots in self._pairs(args[0])
        ]
        return [elementwise.concatenated(self.units, parts, dim, outputs[0].shape)]

    def _constant_pad_nd(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        return [elementwise.padded(self.units, self.slots_of(args[0]), args[1], outputs[0].shape)]

    def _embedding(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        return [elementwise.embedded(self.units, self.slots_of(args[0]), outputs[0].shape)]

    def _mm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        left, right = ([slot.unsqueeze(0) for slot in self.slots_of(tensor)] for tensor in args[:2])
        shape = torch.Size((1, *outputs[0].shape))
        return [[slot.squeeze(0) for slot in contractions.multiplied(self.units, left, right, shape)]]

    def _addmm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        (product,) = self._mm(func, args[1:], kwargs, outputs)
        shape = outputs[0].shape
        return [elementwise.combined(self.units, [(shape, product), *self._pairs(args[:1])], shape)]

    def _bmm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        left, right = (self.slots_of(tensor) for tensor in args[:2])
        return [contractions.multiplied(self.units, left, right, outputs[0].shape)]

    def _baddbmm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        (product,) = self._bmm(func, args[1:], kwargs, outputs)
        shape = outputs[0].shape
        return [elementwise.combined(self.units, [(shape, product), *self._pairs(args[:1])], shape)]

    def _attention(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        query, key, value = args[:3]
        q, k, v = self.slots_of(query), self.slots_of(key), self.slots_of(value)
        sizes = (query.shape, key.shape, value.shape)
        found = contractions.attended(self.units, q, k, v, sizes)
        for tensor in (*args[3:], *kwargs.values()):
            for slot in self.slots_of(tensor) if isinstance(tensor, Tensor) else ():
                self.units.lock(slot)
        return [found]

    def _convolution(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        data, weight, bias, transposed, groups = args[0], args[1], args[2], args[6], args[8]
        shape = outputs[0].shape
        found = contractions.convolved(
            self.units,
            self.slots_of(data),
            self.slots_of(weight),
            (data.shape, weight.shape),
            shape,
            groups=groups,
            transposed=transposed,
        )
        if bias is None:
            return [found]
        size = torch.Size((shape[1], *[1] * (len(shape) - 2)))
        own = [slot.reshape(size) for slot in self.slots_of(bias)]
        return [elementwise.combined(self.units, [(shape, found), (size, own)], shape)]

    def _native_batch_norm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        parameters = [self.slots_of(tensor) for tensor in args[1:5] if isinstance(tensor, Tensor)]
        return [contractions.normalised(self.units, self.slots_of(args[0]), parameters, dim=1)]

    _native_batch_norm_legit_no_training = _native_batch_norm
    _native_batch_norm_legit = _native_batch_norm
    _cudnn_batch_norm = _native_batch_norm
    _batch_norm_no_update = _native_batch_norm

    def _native_layer_norm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        shape = outputs[0].shape
        operands = [(shape, self.slots_of(args[0])), *self._pairs(args[2:4])]
        return [elementwise.combined(self.units, operands, shape)]

    def _fused_rms_norm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        return self._native_layer_norm(func, (args[0], None, args[2], None), kwargs, outputs)

    def _native_group_norm(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> list[Slots]:
        parameters = [self.slots_of(tensor) for tensor in args[1:3] if isinstance(tensor, Tensor)]
        slots = self.slots_of(args[0])
        return [contractions.normalised(self.units, slots, parameters, dim=1, groups=args[6])]


def named_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters and buffers of a network by name, each of those that are shared once."""
    yield from model.named_parameters()
    yield from model.named_buffers()


def _place() -> str:
    """Return the file and the line of the network's code that is running, as far as it is known."""
    for frame in reversed(traceback.extract_stack()):
        if "/torch/" not in frame.filename and "/denas_core/" not in frame.filename:
            return f" in {frame.filename}:{frame.lineno}: {frame.line}"
    return ""
