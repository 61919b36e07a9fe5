"""Rules for operations that keep, move, join or drop elements: the members move with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .slots import along, compact, paired, stretched, varying
from .units import NONE, Units

Slots = list[Tensor]


def moved(
    operation: Callable[..., Any], slots: Slots, rest: Sequence[Any], shapes: list[torch.Size]
) -> list[Slots]:
    """Return the slots of each output of an operation that only moves elements, such as a permutation."""
    outputs: list[Slots] = [[] for _ in shapes]
    for slot in slots:
        found = operation(slot, *rest)
        for place, part in enumerate(found if isinstance(found, (list, tuple)) else [found]):
            outputs[place].append(compact(part.reshape(shapes[place])))
    return outputs


def combined(units: Units, operands: Sequence[tuple[torch.Size, Slots]], shape: torch.Size) -> Slots:
    """Return the slots of the result of an elementwise operation on operands that are broadcast to `shape`.

    Members of two operands that meet are joined. If an operand has elements of its own for each member of another, and
    no members, the members of the other are locked, because nothing says how this operand would be cut.
    """
    full = [
        (_aligned(size, shape), [slot.expand(shape) for slot in slots])
        for size, slots in operands
        if len(size) <= len(shape)
    ]
    result: Slots = []
    for _, slots in full:
        for slot in slots:
            partners = [other for other in result if varying(other) & varying(slot)]
            for partner in partners[1:]:
                units.lock(partner)
                units.lock(slot)
            if partners:
                units.join(*paired(partners[0], slot))
                if len(varying(slot)) > len(varying(partners[0])):
                    result = [slot if other is partners[0] else other for other in result]
            else:
                result.append(slot)
    kept = []
    for slot in result:
        alone = [
            any(size[d] > 1 for d in varying(slot)) and not any(varying(o) & varying(slot) for o in slots)
            for size, slots in full
        ]
        if any(alone):
            units.lock(slot)
        else:
            kept.append(slot)
    return kept


def concatenated(
    units: Units, operands: Sequence[tuple[torch.Size, Slots]], dim: int, shape: torch.Size
) -> Slots:
    """Return the slots of operands that are put one after another along `dim`."""
    dim %= len(shape)
    one_after_another: list[Tensor] = []
    across: list[tuple[torch.Size, Slots]] = []
    flat = torch.Size(1 if d == dim else size for d, size in enumerate(shape))
    for size, slots in operands:
        mine = [slot for slot in slots if dim in varying(slot)]
        for slot in mine[1:]:
            units.lock(slot)
        one_after_another.append(mine[0] if mine else torch.tensor(NONE).expand(size))
        across.append((flat, [slot.narrow(dim, 0, 1) for slot in slots if dim not in varying(slot)]))
    result = [slot.expand(shape) for slot in combined(units, across, flat)]
    if any(bool((part != NONE).any()) for part in one_after_another):
        result.append(compact(torch.cat(one_after_another, dim)))
    return result


def reduced(slots: Slots, dims: Sequence[int] | None, keepdim: bool, shape: torch.Size) -> Slots:
    """Return the slots after a sum, a mean or a maximum over `dims`. Members that are summed over are gone."""
    kept = []
    for slot in slots:
        over = {dim % slot.dim() for dim in dims} if dims else set(range(slot.dim()))
        if over & varying(slot) or not varying(slot):
            continue
        for dim in sorted(over, reverse=True):
            slot = slot.narrow(dim, 0, 1) if keepdim else slot.select(dim, 0)
        kept.append(slot.expand(shape))
    return kept


def pooled(units: Units, slots: Slots, shape: torch.Size) -> Slots:
    """Return the slots after a pooling, a padding or a change of the resolution behind the channels."""
    kept = []
    for slot in slots:
        if varying(slot) <= {0, 1}:
            kept.append(stretched(slot, shape, (0, 1)))
        else:
            units.lock(slot)
    return kept


def padded(units: Units, slots: Slots, pad: Sequence[int], shape: torch.Size) -> Slots:
    """Return the slots after zeros were put around a tensor. Zeros beside members belong to none."""
    kept = []
    for slot in slots:
        for place in range(len(pad) // 2):
            dim = slot.dim() - 1 - place
            before, after = pad[2 * place], pad[2 * place + 1]
            size = list(slot.shape)
            size[dim] += before + after
            if dim not in varying(slot):
                slot = slot.narrow(dim, 0, 1).expand(size)
                continue
            bounds = [0] * (2 * place) + [before, after]
            slot = compact(torch.nn.functional.pad(slot, bounds, value=NONE))
        kept.append(slot.expand(shape))
    return kept


def embedded(units: Units, slots: Slots, shape: torch.Size) -> Slots:
    """Return the slots of rows that were looked up in a table, whose rows stay whole."""
    kept = []
    for slot in slots:
        if varying(slot) == {1}:
            kept.append(along(slot[0], len(shape) - 1, shape))
        else:
            units.lock(slot)
    return kept


def _aligned(size: torch.Size, shape: torch.Size) -> torch.Size:
    return torch.Size([1] * (len(shape) - len(size)) + list(size))
