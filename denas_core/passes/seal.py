"""Whether a score has changed what all scores of a candidate share: its networks and its traces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from denas_core.values.passes import Trace

SAMPLES = 16
"""Elements of a tensor that are compared, and tensors of a trace whose elements are, evenly spaced."""

_MEMBERS = [name for name, value in vars(nn.Module()).items() if isinstance(value, dict)]
"""Where a module keeps its parameters, buffers, children and hooks."""


class Seal:
    """What networks and traces were like when the core made them.

    The version counter of autograd shows operations in place. Writes through ``.data`` or a NumPy array go around it: a
    sample of the elements shows them.
    """

    def __init__(self) -> None:
        self._watched: list[tuple[str, Callable[[], Any], Any]] = []
        self._networks: list[nn.Module] = []

    def watch_network(self, network: nn.Module) -> None:
        """Take `network`, which is about to be handed out, as it is now."""
        if not any(network is known for known in self._networks):
            self._networks.append(network)
            tensors = _readable([*network.parameters(), *network.buffers()])
            samples = _samples(tensors)
            self._watch(
                "the network",
                lambda: ([*map(_structure, network.modules())], [*map(_facts, tensors)], _elements(samples)),
            )

    def watch_trace(self, trace: Trace) -> None:
        """Take `trace` as it is now."""
        tensors = _readable(trace.tensors())
        samples = _samples(tensors[:: len(tensors) // SAMPLES + 1])
        self._watch(
            "a trace",
            lambda: (_members(trace), [t._version for t in tensors], _elements(samples)),
        )

    def broken(self) -> str:
        """Return what was changed, ``the network`` or ``a trace``; empty if nothing was."""
        return next((what for what, read, before in self._watched if read() != before), "")

    def _watch(self, what: str, read: Callable[[], Any]) -> None:
        self._watched.append((what, read, read()))


def _structure(module: nn.Module) -> tuple[Any, ...]:
    values = vars(module)
    members = [[*map(id, values[name].values())] for name in _MEMBERS]
    # Padding, dropout and the like; layers that are not torch's may keep notes of their calls beside them.
    is_of_torch = type(module).__module__.startswith("torch.nn.")
    options = [v for v in values.values() if isinstance(v, (int, float, str, tuple))] if is_of_torch else []
    return id(module), type(module), module.training, "forward" in values, members, options


def _members(trace: Trace) -> list[list[int]]:
    mappings = (
        trace.outputs.logits,
        trace.parameters,
        trace.gradients,
        trace.input_gradients,
        trace.curvature,
    )
    return [[*map(id, mapping.values())] for mapping in mappings]


def _facts(tensor: Tensor) -> tuple[Any, ...]:
    has_gradient = tensor.is_leaf and tensor.grad is not None
    return (
        tensor._version,
        tensor.requires_grad,
        tensor.data_ptr(),
        bool(tensor._backward_hooks),
        has_gradient,
    )


def _readable(tensors: Iterable[Tensor]) -> list[Tensor]:
    # Inference tensors count no versions, and those on the meta device hold nothing.
    return [t for t in tensors if not (t.is_meta or t.is_inference()) and t.layout is torch.strided]


def _samples(tensors: list[Tensor]) -> list[Tensor]:
    samples = []
    for tensor in tensors:
        # Over the storage rather than the tensor: whatever its strides, this is a view that sees every later write.
        count = tensor.untyped_storage().nbytes() // tensor.element_size()
        step = max(count // SAMPLES, 1)
        samples.append(tensor.detach().as_strided(((count - 1) // step + 1,), (step,), 0))
    return samples


def _elements(samples: list[Tensor]) -> bytes:
    # Bytes, since a NaN would differ from itself.
    return torch.cat(samples).view(torch.uint8).cpu().numpy().tobytes() if samples else b""
