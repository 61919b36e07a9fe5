"""Find the blocks of a network from the structure of its modules alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def blocks_by_module(network: nn.Module) -> tuple[str, ...]:
    """Return the names of the blocks of `network`, in the order in which they are registered.

    A block is an item of a sequence (`Sequential`, `ModuleList`, `ModuleDict`) that is built from other modules, for
    example a residual block, a transformer layer or a cell. If an item is itself a sequence, such as a stage, its items
    are searched. A single layer, such as a convolution, is not a block, and the inside of a block is not searched.

    If no sequence holds a block, the blocks are the children of the network that are built from other modules. If
    there are no such children either, every layer with weights is a block, except for the last linear layer. This
    is the head, whose outputs are classes, and the number of classes says nothing about the network.
    """
    from torch import nn

    found = tuple(name for name, _ in _in_sequences(network, "", is_item=False))
    found = found or tuple(
        name
        for name, child in network.named_children()
        if any(True for _ in child.children()) and not isinstance(child, (nn.Sequential, nn.ModuleList))
    )
    if found:
        return found
    layers = {
        name: module
        for name, module in network.named_modules()
        if any(parameter.dim() > 1 for parameter in module.parameters(recurse=False))
    }
    head = [name for name, layer in layers.items() if isinstance(layer, nn.Linear)][-1:]
    return tuple(name for name in layers if name not in head) or tuple(layers)


def _in_sequences(module: nn.Module, prefix: str, *, is_item: bool) -> Iterator[tuple[str, nn.Module]]:
    from torch import nn

    is_sequence = isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
    if is_item and not is_sequence:
        if any(True for _ in module.children()):
            yield prefix, module
        return
    for name, child in module.named_children():
        yield from _in_sequences(child, f"{prefix}.{name}" if prefix else name, is_item=is_sequence)
