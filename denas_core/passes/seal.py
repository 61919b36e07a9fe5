"""Detects that a score has changed the networks or traces that all scores of a candidate share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from denas_core.values.passes import Trace

SAMPLES = 16
"""Number of elements of a tensor that are compared, and number of tensors of a trace whose elements are compared."""

_MEMBERS = [name for name, value in vars(nn.Module()).items() if isinstance(value, dict)]
"""Attributes in which a module keeps its parameters, buffers, children and hooks."""


class Seal:
    """The state of networks and traces when the core made them.

    The version counter of a tensor shows operations in place. It does not show writes through ``.data`` or a NumPy
    array, so some elements of each tensor are compared too.
    """

    def __init__(self) -> None:
        self._watched: list[tuple[str, Callable[[], Any], Any]] = []
        self._networks: list[nn.Module] = []

    def watch_network(self, network: nn.Module) -> None:
        """Record the present state of `network`, before a score gets it."""
        if not any(network is known for known in self._networks):
            self._networks.append(network)
            tensors = _readable([*network.parameters(), *network.buffers()])
            samples = _samples(tensors)
            self._watch(
                "the network",
                lambda: ([*map(_structure, network.modules())], [*map(_facts, tensors)], _elements(samples)),
            )

    def watch_trace(self, trace: Trace) -> None:
        """Record the present state of `trace`."""
        tensors = _readable(trace.tensors())
        samples = _samples(tensors[:: len(tensors) // SAMPLES + 1])
        self._watch("a trace", lambda: (_members(trace), [t._version for t in tensors], _elements(samples)))

    def broken(self) -> str:
        """Return what has changed, ``the network`` or ``a trace``, or an empty string."""
        return next((what for what, read, before in self._watched if read() != before), "")

    def _watch(self, what: str, read: Callable[[], Any]) -> None:
        self._watched.append((what, read, read()))


def _structure(module: nn.Module) -> tuple[Any, ...]:
    values = vars(module)
    members = [[*map(id, values[name].values())] for name in _MEMBERS]
    # These are options such as padding and dropout. Layers of others may record their calls in such attributes.
    is_of_torch = type(module).__module__.startswith("torch.nn.")
    options = [v for v in values.values() if isinstance(v, (int, float, str, tuple))] if is_of_torch else []
    return id(module), type(module), module.training, "forward" in values, members, options


def _members(trace: Trace) -> list[list[int]]:
    of_weights = (trace.parameters, trace.gradients, trace.curvature)
    mappings = (trace.outputs.logits, trace.input_gradients, *of_weights)
    return [[*map(id, mapping.values())] for mapping in mappings]


def _facts(tensor: Tensor) -> tuple[Any, ...]:
    of_autograd = (
        tensor.requires_grad,
        bool(tensor._backward_hooks),
        tensor.is_leaf and tensor.grad is not None,
    )
    return tensor._version, tensor.data_ptr(), *of_autograd


def _readable(tensors: Iterable[Tensor]) -> list[Tensor]:
    # Inference tensors have no version counter, and tensors on the meta device have no elements.
    return [t for t in tensors if not (t.is_meta or t.is_inference()) and t.layout is torch.strided]


def _samples(tensors: list[Tensor]) -> list[Tensor]:
    samples = []
    for tensor in tensors:
        # A view of the storage shows every later write, whatever the strides of the tensor are.
        count = tensor.untyped_storage().nbytes() // tensor.element_size()
        step = max(count // SAMPLES, 1)
        samples.append(tensor.detach().as_strided(((count - 1) // step + 1,), (step,), 0))
    return samples


def _elements(samples: list[Tensor]) -> bytes:
    # Bytes are compared, because a NaN is not equal to itself.
    return torch.cat(samples).view(torch.uint8).cpu().numpy().tobytes() if samples else b""
