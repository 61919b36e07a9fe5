"""Rules for layers: products of matrices, convolutions, attention and norms."""

from __future__ import annotations

import torch
from torch import Tensor

from .elementwise import Slots
from .slots import along, paired, stretched, varying
from .units import Units

BATCH, ROW, COLUMN = 0, 1, 2


def multiplied(units: Units, left: Slots, right: Slots, shape: torch.Size) -> Slots:
    """Return the slots of a product of batches of matrices, (b, m, k) and (b, k, n), of shape (b, m, n).

    The members along k meet. If they depend on the batch as well, as those of attention heads do, all members of one
    matrix become one unit: a head is removed as a whole.
    """
    over_left, kept_left = _sides(units, left, over=COLUMN, kept=ROW)
    over_right, kept_right = _sides(units, right, over=ROW, kept=COLUMN)
    found = [stretched(slot, shape, (BATCH, ROW)) for slot in kept_left]
    beside = [stretched(slot, shape, (BATCH, COLUMN)) for slot in kept_right]
    if len(over_left) == 1 and len(over_right) == 1:
        units.join(*paired(over_left[0].select(ROW, 0), over_right[0].select(COLUMN, 0)))
    else:
        for slot in (*over_left, *over_right):
            units.lock(slot)
    heads = []
    for slot, dim in [(s, COLUMN) for s in over_left] + [(s, ROW) for s in over_right]:
        if BATCH in varying(slot):
            units.join_all(slot.movedim(dim, -1))
            heads.append(stretched(slot, shape, (BATCH,)))
    return _met(units, [*heads[:1], *found, *beside])


def convolved(
    units: Units,
    inputs: Slots,
    weight: Slots,
    sizes: tuple[torch.Size, torch.Size],
    shape: torch.Size,
    *,
    groups: int,
    transposed: bool,
) -> Slots:
    """Return the slots of the output of a convolution.

    Args:
        units: The units.
        inputs: Slots of the input.
        weight: Slots of the weight.
        sizes: Shapes of the input and of the weight.
        shape: Shape of the output.
        groups: Number of groups. Members of one group become one unit, except for groups of a single channel.
        transposed: Whether the first dimension of the weight is that of the input.
    """
    channels = [slot for slot in inputs if varying(slot) == {1}]
    passed = [slot for slot in inputs if varying(slot) == {0}]
    for slot in inputs:
        if varying(slot) not in ({0}, {1}):
            units.lock(slot)
    dims = {next(iter(varying(slot))): slot for slot in weight if len(varying(slot)) == 1}
    for slot in weight:
        if len(varying(slot)) != 1 or not varying(slot) <= {0, 1}:
            units.lock(slot)
    into, out_of = (0, 1) if transposed else (1, 0)
    read = _members(dims.get(into), into)
    made = _members(dims.get(out_of), out_of)
    source = _members(channels[0], 1) if len(channels) == 1 else None
    for slot in channels[1:]:
        units.lock(slot)
    if groups > 1:
        made = _grouped(units, source, made, read, groups, transposed=transposed)
    elif source is None or read is None:
        for members in (source, read):
            if members is not None:
                units.lock(members)
    else:
        units.join(source, read)
    result = [stretched(slot, shape, (0,)) for slot in passed]
    return [*result, along(made, 1, shape)] if made is not None and len(made) == shape[1] else result


def _grouped(
    units: Units,
    source: Tensor | None,
    made: Tensor | None,
    read: Tensor | None,
    groups: int,
    *,
    transposed: bool,
) -> Tensor | None:
    known = [members for members in (source, made, read) if members is not None]
    if source is None or transposed or made is None or len(made) % groups or len(source) % groups:
        for members in known:
            units.lock(members)
        return None
    if read is not None:
        units.lock(read)
    units.join_all(torch.cat([source.reshape(groups, -1), made.reshape(groups, -1)], 1))
    return made


def attended(
    units: Units, query: Slots, key: Slots, value: Slots, sizes: tuple[torch.Size, torch.Size, torch.Size]
) -> Slots:
    """Return the slots of scaled dot-product attention on (..., positions, features)."""
    q, k, v = sizes
    batch = q[:-2].numel()

    def flat(slots: Slots, size: torch.Size) -> Slots:
        return [slot.reshape(batch, *size[-2:]) for slot in slots]

    scores = multiplied(
        units,
        flat(query, q),
        [slot.transpose(1, 2) for slot in flat(key, k)],
        torch.Size((batch, q[-2], k[-2])),
    )
    shape = torch.Size((batch, q[-2], v[-1]))
    return [slot.reshape(*q[:-1], v[-1]) for slot in multiplied(units, scores, flat(value, v), shape)]


def normalised(units: Units, slots: Slots, parameters: list[Slots], *, dim: int, groups: int = 1) -> Slots:
    """Return the slots after a norm whose parameters are one for each member along `dim`.

    Groups of a group norm become units, because their statistics are those of whole groups.
    """
    channels = [slot for slot in slots if dim in varying(slot)]
    for slot in channels[1:]:
        units.lock(slot)
    members = None
    if channels and varying(channels[0]) == {dim}:
        members = _members(channels[0], dim)
    elif channels:
        units.lock(channels[0])
    for own in parameters:
        for slot in own:
            if members is not None and slot.numel() == members.numel():
                units.join(members, slot.reshape(-1))
            else:
                units.lock(slot)
    if groups > 1 and members is not None:
        units.join_all(members.reshape(groups, -1))
    return slots


def _members(slot: Tensor | None, dim: int) -> Tensor | None:
    if slot is None:
        return None
    for other in range(slot.dim()):
        if other != dim:
            slot = slot.narrow(other, 0, 1)
    return slot.reshape(-1)


def _sides(units: Units, slots: Slots, *, over: int, kept: int) -> tuple[Slots, Slots]:
    """Return the slots whose members are summed over, and those whose members stay."""
    summed, stay = [], []
    for slot in slots:
        if over in varying(slot) and kept in varying(slot):
            units.lock(slot)
        elif over in varying(slot):
            summed.append(slot)
        else:
            stay.append(slot)
    return summed, stay


def _met(units: Units, slots: Slots) -> Slots:
    """Join slots of one tensor that depend on the same dimensions, and return one of each kind."""
    result: Slots = []
    for slot in slots:
        partner = next((other for other in result if varying(other) & varying(slot)), None)
        if partner is None:
            result.append(slot)
            continue
        units.join(*paired(partner, slot))
        if len(varying(slot)) > len(varying(partner)):
            result = [slot if other is partner else other for other in result]
    return result
