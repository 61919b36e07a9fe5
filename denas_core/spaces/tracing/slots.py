"""Slots: for a dimension of a weight that reaches a tensor, the member that each element of the tensor belongs to.

A slot is a tensor of integers with the shape of the traced tensor. Along dimensions on which the member does not
depend, its stride is 0. An activation of a convolution has one slot, which varies along the channels. A weight has one
slot for each dimension.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def varying(slot: Tensor) -> frozenset[int]:
    """Return the dimensions along which the member changes."""
    return frozenset(d for d in range(slot.dim()) if slot.shape[d] > 1 and slot.stride(d) != 0)


def compact(slot: Tensor) -> Tensor:
    """Return the slot with stride 0 along each dimension on which the member does not depend."""
    shape = slot.shape
    for dim in sorted(varying(slot)):
        first = slot.narrow(dim, 0, 1)
        if bool((slot == first).all()):
            slot = first
    return slot.expand(shape)


def core(slot: Tensor) -> Tensor:
    """Return the slot with a size of 1 along each dimension on which the member does not depend."""
    for dim in range(slot.dim()):
        if slot.shape[dim] > 1 and slot.stride(dim) == 0:
            slot = slot.narrow(dim, 0, 1)
    return slot


def stretched(slot: Tensor, shape: Iterable[int], kept: Iterable[int]) -> Tensor:
    """Return the slot for a tensor of another shape whose dimensions differ, except for those in `kept`."""
    keep = set(kept)
    for dim in range(slot.dim()):
        if dim not in keep:
            slot = slot.narrow(dim, 0, 1)
    return slot.expand(tuple(shape))


def along(members: Tensor, dim: int, shape: Iterable[int]) -> Tensor:
    """Return the slot of a tensor of `shape` whose member depends on the index along `dim`."""
    sizes = tuple(shape)
    view = [1] * len(sizes)
    view[dim] = len(members)
    return members.reshape(view).expand(sizes)


def paired(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return two slots of one shape in the smallest form in which each pair of members is there."""
    one, other = core(first), core(second)
    shape = torch.broadcast_shapes(one.shape, other.shape)  # type: ignore[no-untyped-call]
    return one.expand(shape), other.expand(shape)
