"""Run a network and see the inputs and outputs of some of its modules."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn


@dataclasses.dataclass(slots=True)
class Call:
    """A call of a module.

    Attributes:
        name: Name of the module.
        input: Its first tensor.
        output: What it returned; the first tensor if that is a tuple.
        whole: What it returned.
    """

    name: str
    input: Tensor
    output: Tensor
    whole: Any


class _Seen(Exception):
    """Every module that is watched was called."""


@contextlib.contextmanager
def watched(network: nn.Module, names: Collection[str], *, stop: bool = False) -> Iterator[list[Call]]:
    """Yield a list that gets each call of the modules with these names, in their order.

    Args:
        network: The network.
        names: Names of modules.
        stop: Whether the network is stopped, and the context left, after the first call of the last module.
    """
    calls: list[Call] = []
    missing = set(names)

    def see(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, keywords: Any, output: Any) -> None:
            given = next((one for one in (*inputs, *keywords.values()) if isinstance(one, Tensor)), None)
            first = output[0] if isinstance(output, tuple) else output
            if given is None or not isinstance(first, Tensor):
                return
            calls.append(Call(name, given, first, output))
            missing.discard(name)
            if stop and not missing:
                raise _Seen

        return hook

    modules = dict(network.named_modules())
    handles = [modules[name].register_forward_hook(see(name), with_kwargs=True) for name in names]
    try:
        yield calls
    except _Seen:
        pass
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def replaced(network: nn.Module, outputs: Mapping[str, Any]) -> Iterator[None]:
    """Let some modules return given outputs, without computing them."""
    modules = [(network.get_submodule(name), output) for name, output in outputs.items()]
    for module, output in modules:
        module.forward = _constant(output)
    try:
        yield
    finally:
        for module, _ in modules:
            del module.forward


def _constant(output: Any) -> Callable[..., Any]:
    return lambda *inputs, **keywords: output


def rows(tensor: Tensor, mask: Tensor | None) -> Tensor:
    """Return the rows of a tensor (samples, positions, features) that are not padding, or all rows."""
    if mask is not None and tensor.dim() == 3 and tensor.shape[:2] == mask.shape:
        return tensor[mask]
    return tensor.reshape(-1, tensor.shape[-1])


def is_norm(module: nn.Module) -> bool:
    """Return whether a module is a norm with a weight for each feature."""
    weight = getattr(module, "weight", None)
    return "norm" in type(module).__name__.lower() and isinstance(weight, Tensor) and weight.dim() == 1


def mask_of(outputs: Any) -> Tensor | None:
    """Return the mask of the positions of outputs that are not padding."""
    mask = outputs.masks.get("features")
    return None if mask is None else mask.to(torch.bool)
