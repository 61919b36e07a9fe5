"""Whether a score has changed what all scores of a candidate share: its networks and its traces."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch import nn

    from denas_core.values.passes import Trace

SAMPLES = 16
"""Elements of a tensor that are compared, evenly spaced: writes through ``.data`` are known by them alone."""

SAMPLED = 64
"""Tensors of a trace that are compared so, evenly spaced; of a network it is all of them."""


class Seal:
    """What networks and traces were like when the core made them.

    Operations in place are seen by the version counter that autograd keeps; writes that go around it, through ``.data``
    or a NumPy view, by a sample of the elements. Layers added, replaced or removed, hooks, train or eval mode,
    ``requires_grad`` and gradients left on a parameter are seen too.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._structures: list[_Structure] = []
        self._contents = _Dicts()
        self._weights = _Tensors()
        self._traced = _Tensors()
        self._leaves: list[Tensor] = []
        self._broken = ""

    def watch_network(self, network: nn.Module) -> None:
        """Take `network`, which is about to be handed out, as it is now."""
        if id(network) not in self._known:
            self._known.add(id(network))
            self._structures.append(_Structure(network))
            self._leaves += network.parameters()
            self._weights.watch([*network.parameters(), *network.buffers()])

    def watch_trace(self, trace: Trace) -> None:
        """Take `trace` as it is now, and the networks after the pass: a forward may cache what it likes."""
        outputs = trace.outputs
        tensors = [outputs.features]
        for mapping in (outputs.logits, outputs.masks, trace.parameters, trace.gradients):
            tensors += mapping.values()
            if isinstance(mapping, dict):
                self._contents.watch(mapping)
        for call in trace.layers:
            tensors += (call.inputs, call.output_gradient)
        for factors in trace.factors.values():
            tensors += (factors.outputs, factors.inputs)
        for pair in trace.statistics:
            tensors += pair
        self._traced.watch(tensors, at_most=SAMPLED)
        for structure in self._structures:
            structure.accept()

    def check_structure(self) -> None:
        """Notice changed structures before a pass is run, after which they are taken as they are."""
        if any(structure.changed() for structure in self._structures):
            self._broken = "the network"

    def broken(self) -> str:
        """Return what was changed, ``the network`` or ``a trace``; empty if nothing was."""
        self.check_structure()
        if not self._broken and (
            self._weights.changed() or any(leaf.grad is not None for leaf in self._leaves if leaf.is_leaf)
        ):
            self._broken = "the network"
        if not self._broken and (self._contents.changed() or self._traced.changed()):
            self._broken = "a trace"
        return self._broken


class _Dicts:
    # Two lists that Python compares in one step.

    def __init__(self) -> None:
        self._live: list[dict[Any, Any]] = []
        self._kept: list[dict[Any, Any]] = []

    def watch(self, mapping: dict[Any, Any]) -> None:
        self._live.append(mapping)
        self._kept.append(dict(mapping))

    def accept(self) -> None:
        if self.changed():
            self._kept = [dict(mapping) for mapping in self._live]

    def changed(self) -> bool:
        try:
            return self._live != self._kept
        except Exception:
            # A tensor that is not the same one cannot be compared for truth.
            return True


class _Structure(_Dicts):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._modules = list(network.modules())
        self._attributes = [vars(module) for module in self._modules]
        for attributes in self._attributes:
            # Parameters, buffers, children and hooks.
            for value in attributes.values():
                if isinstance(value, dict):
                    self.watch(value)
        self._modes = self._read()

    def accept(self) -> None:
        super().accept()
        self._modes = self._read()

    def changed(self) -> bool:
        return super().changed() or self._read() != self._modes

    def _read(self) -> list[Any]:
        return [
            (type(module), attributes.get("training"), "forward" in attributes, _settings(module))
            for module, attributes in zip(self._modules, self._attributes, strict=True)
        ]


def _settings(module: nn.Module) -> dict[str, Any]:
    # Padding, stride and the like of torch's own layers, which no forward changes; other layers may keep notes.
    if not type(module).__module__.startswith("torch.nn."):
        return {}
    return {name: value for name, value in vars(module).items() if type(value) in (int, float, str, tuple)}


class _Tensors:
    def __init__(self) -> None:
        self._tensors: list[Tensor] = []
        self._facts = _facts([])
        self._samples: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
        self._values: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def watch(self, tensors: Iterable[Tensor], *, at_most: int | None = None) -> None:
        # Inference tensors count no versions, and those on the meta device hold nothing.
        fresh = [t for t in tensors if not (t.is_meta or t.is_inference()) and t.layout is torch.strided]
        self._tensors += fresh
        for known, more in zip(self._facts, _facts(fresh), strict=True):
            known += more
        grouped: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
        with torch.no_grad():
            for tensor in fresh[:: max(len(fresh) // (at_most or len(fresh) or 1), 1)]:
                if tensor.numel():
                    grouped.setdefault((tensor.device, tensor.dtype), []).append(_sample(tensor))
        for group, samples in grouped.items():
            known = [self._values[group]] if group in self._values else []
            self._values[group] = torch.cat([*known, _bytes_of(samples)])
            self._samples.setdefault(group, []).extend(samples)

    def changed(self) -> bool:
        return self._facts != _facts(self._tensors) or any(
            not torch.equal(self._values[group], _bytes_of(samples))
            for group, samples in self._samples.items()
        )


_READ = (
    *(attrgetter("_version"), attrgetter("requires_grad"), Tensor.data_ptr),
    lambda tensor: bool(tensor._backward_hooks),
)


def _facts(tensors: list[Tensor]) -> list[list[Any]]:
    return [list(map(read, tensors)) for read in _READ]


def _sample(tensor: Tensor) -> Tensor:
    # Over the storage rather than the tensor: whatever its strides, this is a view that sees every later write.
    count = tensor.untyped_storage().nbytes() // tensor.element_size()
    step = max(count // SAMPLES, 1)
    return tensor.as_strided(((count - 1) // step + 1,), (step,), 0)


def _bytes_of(samples: list[Tensor]) -> Tensor:
    # Bytes, since a NaN would differ from itself.
    return torch.cat(samples).view(torch.uint8)
