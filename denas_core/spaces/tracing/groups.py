"""Groups of units: what one knob shrinks, and which units are worth keeping."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor

from .trace import Trace
from .units import NONE

LEAST = 2
"""Units of a group that stay. With one, a tensor would not show which of its dimensions the unit belongs to."""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Units that have members in the same dimensions of the same weights.

    Attributes:
        name: Name of the module that makes them, such as ``layer1.0.conv1``.
        units: The units in their order.
        members: For each dimension of a weight that holds members, as ``(name, dimension)``, the members of one unit.
    """

    name: str
    units: tuple[int, ...]
    members: Mapping[tuple[str, int], int]


@dataclasses.dataclass(frozen=True, slots=True)
class Stack:
    """Blocks of one container, any of which can be left out, because its input and output have the same channels.

    Attributes:
        name: Name of the container.
        blocks: Names of the blocks, in the order of the network.
    """

    name: str
    blocks: tuple[str, ...]


def find_groups(
    units_of: Mapping[str, list[Tensor]], locked: frozenset[int], weights: Mapping[str, Tensor]
) -> list[Group]:
    """Return the groups of a network, in the order of its weights. Each has a producer and a user.

    Args:
        units_of: The units of each dimension of each weight.
        locked: The units that must stay.
        weights: Its parameters and buffers.
    """
    places: dict[int, dict[tuple[str, int], int]] = {}
    for name, dims in units_of.items():
        for dim, units in enumerate(dims):
            for unit in units.tolist():
                if unit not in locked:
                    counts = places.setdefault(unit, {})
                    counts[name, dim] = counts.get((name, dim), 0) + 1
    together: dict[tuple[tuple[tuple[str, int], int], ...], list[int]] = {}
    for unit, counts in places.items():
        together.setdefault(tuple(counts.items()), []).append(unit)
    groups: list[Group] = []
    taken: dict[str, int] = {}
    for signature, same in together.items():
        matrices = [place for place, _ in signature if weights[place[0]].dim() > 1]
        if len(same) <= LEAST or len(matrices) < 2:
            continue
        makers = [name for name, dim in matrices if dim == 0] or [matrices[0][0]]
        owner = makers[0].rpartition(".")[0] or makers[0]
        taken[owner] = taken.get(owner, 0) + 1
        name = owner if taken[owner] == 1 else f"{owner}.{taken[owner]}"
        groups.append(Group(name, tuple(same), dict(signature)))
    return groups


def find_stacks(trace: Trace, weights: Mapping[str, Tensor]) -> list[Stack]:
    """Return the blocks that return what they got with something added, by their container."""
    counts: dict[str, int] = {}
    for call in trace.calls:
        counts[call.name] = counts.get(call.name, 0) + 1
    stacks: dict[str, list[str]] = {}
    chosen: list[str] = []
    order = sorted(trace.calls, key=lambda call: call.name.count("."))
    names = {
        call.name
        for call in order
        if counts[call.name] == 1
        and sum(name.startswith(f"{call.name}.") and weight.dim() > 1 for name, weight in weights.items()) > 1
        and _is_same(trace, call.before, call.after)
    }
    # A sequence of blocks is no block itself: its own blocks are left out one by one.
    names -= {
        call.name
        for call in order
        if call.is_sequence and any(inner.startswith(f"{call.name}.") for inner in names)
    }
    for name in sorted(names, key=lambda name: name.count(".")):
        if not any(name.startswith(f"{outer}.") for outer in chosen):
            chosen.append(name)
    for call in trace.calls:
        if call.name in chosen:
            stacks.setdefault(call.name.rpartition(".")[0], []).append(call.name)
    return [Stack(name, tuple(blocks)) for name, blocks in stacks.items()]


def importance(
    units_of: Mapping[str, list[Tensor]], groups: list[Group], weights: Mapping[str, Tensor]
) -> dict[int, float]:
    """Return the sum of squares of the weights of each unit."""
    squares: dict[int, float] = {}
    wanted = {name for group in groups for name, _ in group.members}
    for name in wanted:
        tensor = weights[name].detach()
        if not tensor.is_floating_point():
            continue
        values = tensor.double().square()
        for dim, units in enumerate(units_of[name]):
            others = [d for d in range(values.dim()) if d != dim]
            sums = (values.sum(others) if others else values).tolist()
            for unit, value in zip(units.tolist(), sums, strict=True):
                squares[unit] = squares.get(unit, 0.0) + value
    return squares


def _is_same(trace: Trace, before: list[Tensor], after: list[Tensor]) -> bool:
    if not before or len(before) != len(after):
        return False
    for first, second in zip(before, after, strict=True):
        pairs = torch.unique(torch.stack([first.reshape(-1), second.reshape(-1)]), dim=1).t().tolist()
        for one, other in pairs:
            if NONE in (one, other) or trace.units.find(one) != trace.units.find(other):
                return False
    return True
