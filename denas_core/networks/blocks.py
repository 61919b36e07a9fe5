"""Find the blocks of a network from the structure of its modules alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def blocks_by_module(network: nn.Module) -> tuple[str, ...]:
    """Return the names of the blocks of `network`, in the order in which they are registered.

    A block is an item of a sequence (`Sequential`, `ModuleList`, `ModuleDict`) that is built from other modules, for
    example a residual block, a transformer layer or a cell. If an item is itself a sequence, such as a stage, its items
    are searched. A single layer, such as a convolution, is not a block, and the inside of a block is not searched.

    If no sequence holds a block, the first of these that exists is used:

    1. The children of the network that are built from other modules, if two of them have the same class.
    2. The items of sequences that are themselves sequences of layers with weights, such as a convolution, its norm and
       its activation, if there are two of them. The one that holds the head is not counted.
    3. The children of the network that are built from other modules.
    4. Every layer with weights except the head.

    The head is the last linear layer. Its outputs are classes, and their number says nothing about the network.
    """
    if found := tuple(name for name, _ in _in_sequences(network, "", is_item=False)):
        return found
    children = {
        name: child
        for name, child in network.named_children()
        if not _is_sequence(child) and any(True for _ in child.children())
    }
    if max(Counter(map(type, children.values())).values(), default=0) > 1:
        return tuple(children)
    layers, head = _layers_and_head(network)
    plain = tuple(name for name in _plain_sequences(network) if not head.startswith(f"{name}."))
    if len(plain) > 1:
        return plain
    return tuple(children) or tuple(name for name in layers if name != head) or tuple(layers)


def _in_sequences(module: nn.Module, prefix: str, *, is_item: bool) -> Iterator[tuple[str, nn.Module]]:
    is_sequence = _is_sequence(module)
    if is_item and not is_sequence:
        if any(True for _ in module.children()):
            yield prefix, module
        return
    for name, child in module.named_children():
        yield from _in_sequences(child, f"{prefix}.{name}" if prefix else name, is_item=is_sequence)


def _plain_sequences(network: nn.Module) -> Iterator[str]:
    """Yield the names of the items of sequences that hold layers only, and at least one with weights."""
    for name, module in network.named_modules():
        if not _is_sequence(module):
            continue
        for child_name, child in module.named_children():
            is_plain = _is_sequence(child) and not any(
                True for part in child.children() for _ in part.children()
            )
            if is_plain and any(parameter.dim() > 1 for parameter in child.parameters()):
                yield f"{name}.{child_name}" if name else child_name


def _layers_and_head(network: nn.Module) -> tuple[list[str], str]:
    """Return the names of all layers with a matrix or kernel, and that of the head, which is empty without one."""
    from torch import nn

    layers = {
        name: module
        for name, module in network.named_modules()
        if any(parameter.dim() > 1 for parameter in module.parameters(recurse=False))
    }
    linear = [name for name, layer in layers.items() if isinstance(layer, nn.Linear)]
    return list(layers), linear[-1] if linear else ""


def _is_sequence(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
