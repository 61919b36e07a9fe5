"""Weight inheritance: take the weights of a smaller network from those of a larger one.

A `Layout` names the axes of each parameter, such as heads, neurons, channels or the blocks of a stack. The smaller
network keeps some members of each axis, and it keeps the same members in all parameters with this axis. A head
therefore stays whole, in fused and in transposed projections too.

All functions read one tensor of the larger network at a time, so that it may be larger than memory if its weights are
`StoredWeights`, such as those of a checkpoint.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from denas_core.errors import ConfigError, PluginError

from .layout import Axis, Layout, Placed
from .stored import Stored, StoredWeights

By = Literal["leading", "magnitude"]
"""``leading`` takes the first members and blocks; ``magnitude`` takes those with the largest norm, in their order."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """The members of each axis, and the blocks of each stack, that a smaller network takes.

    Attributes:
        kept: By axis, the indices of its members in the larger network, in their order in the smaller network. An
            axis that is missing here is kept whole.
    """

    kept: Mapping[Axis, tuple[int, ...]]


def inherited(
    layout: Layout,
    source: Mapping[str, Tensor],
    *,
    source_sizes: Mapping[str, int],
    target_sizes: Mapping[str, int],
    by: By = "leading",
    importance: Mapping[Axis, Tensor] | None = None,
) -> StoredWeights:
    """Return the weights that a network of `target_sizes` takes from `source`, by their names in this network.

    See `take`.

    Args:
        layout: The axes of the parameters.
        source: Every parameter of the larger network, by name.
        source_sizes: Number of members of each axis, and of blocks of each stack, in the larger network.
        target_sizes: The same for the smaller network. An axis that is missing here keeps its size.
        by: See `By`.
        importance: The result of `member_importance` for `source`, if it is already known.

    Raises:
        ConfigError: the smaller network is larger than `source`, or `source` does not have `source_sizes`, or it has
            weights that are not finite.
        PluginError: the layout has no rule for a parameter of `source`.
    """
    choice = choose(
        layout,
        source,
        source_sizes=source_sizes,
        target_sizes=target_sizes,
        by=by,
        importance=importance,
    )
    return take(layout, source, choice, sizes=source_sizes)


def choose(
    layout: Layout,
    source: Mapping[str, Tensor],
    *,
    source_sizes: Mapping[str, int],
    target_sizes: Mapping[str, int],
    by: By = "leading",
    importance: Mapping[Axis, Tensor] | None = None,
) -> Choice:
    """Return the members of each axis, and the blocks, that a network of `target_sizes` takes, in ascending order.

    Of equally important members, the first ones are taken. Arguments and errors are those of `inherited`.
    """
    unknown = sorted(target_sizes.keys() - source_sizes.keys())
    if unknown:
        raise PluginError(
            f"the sizes of the smaller network name the axis {unknown[0]!r}, those of the larger network do not; name "
            "the same axes"
        )
    holders: dict[Axis, str] = {}
    for name, placed in _place_all(layout, StoredWeights.of(source), source_sizes).items():
        for axis in _axes(placed):
            holders.setdefault(axis, name)
    if by == "magnitude" and importance is None:
        importance = member_importance(layout, source, sizes=source_sizes)
    kept: dict[Axis, tuple[int, ...]] = {}
    for axis, name in holders.items():
        size, wanted = source_sizes[axis.name], target_sizes.get(axis.name, source_sizes[axis.name])
        if not 0 < wanted <= size:
            raise ConfigError(
                f"{wanted} members of axis {axis.name!r} cannot be inherited from {size} (parameter {name!r}); choose "
                f"from 1 to {size}"
            )
        if by == "leading" or importance is None or wanted == size:
            kept[axis] = tuple(range(wanted))
        else:
            order = torch.sort(importance[axis], descending=True, stable=True).indices
            kept[axis] = tuple(sorted(order[:wanted].tolist()))
    return Choice(kept)


def take(
    layout: Layout, source: Mapping[str, Tensor], choice: Choice, *, sizes: Mapping[str, int]
) -> StoredWeights:
    """Return the weights that `choice` keeps of `source`, by their names in the smaller network.

    A tensor is taken from `source` at each access to it; one that is kept whole is not copied. The indices of a choice
    may have any order, so that it can also permute members. `sizes` are those of the larger network.

    Raises:
        ConfigError, PluginError: as for `inherited`.
    """
    stored = StoredWeights.of(source)
    taken: dict[str, Stored] = {}
    for name, placed in _place_all(layout, stored, sizes).items():
        new_name = _new_name(name, placed, choice)
        if new_name is not None:
            taken[new_name] = _take_members(stored.entries[name], placed, choice)
    return StoredWeights(taken)


def member_importance(
    layout: Layout, source: Mapping[str, Tensor], *, sizes: Mapping[str, int]
) -> dict[Axis, Tensor]:
    """Return, for each member of each axis and for each block, the sum of squares of its weights.

    A weight counts only once for a member or block, even if two dimensions of its parameter have the same axis, or
    several parameters share its memory. Sums are in float64.

    Raises:
        ConfigError: weights are not finite; or as for `inherited`.
    """
    importance: dict[Axis, Tensor] = {}
    seen: set[object] = set()
    stored = StoredWeights.of(source)
    for name, placed in _place_all(layout, stored, sizes).items():
        memory = stored.entries[name].memory
        blocks = [(Axis(stack), index) for stack, _, index in placed.stacks]
        for axis in _axes(placed):
            importance.setdefault(axis, torch.zeros(sizes[axis.name], dtype=torch.float64))
        new = {(memory, part) for part in (*placed.axes, *blocks)} - seen
        if not new:
            continue
        seen |= new
        squares, axes = _squares(stored[name], placed)
        total = squares.sum().item()
        if not math.isfinite(total):
            raise ConfigError(f"parameter {name!r} holds weights that are not finite; use another checkpoint")
        for axis in set(axes):
            if (memory, axis) in new:
                importance[axis] += _sum_by_member(
                    squares, [i for i, other in enumerate(axes) if other == axis]
                )
        for stack, index in blocks:
            if (memory, (stack, index)) in new:
                importance[stack][index] += total
    return importance


def _place_all(layout: Layout, source: StoredWeights, sizes: Mapping[str, int]) -> dict[str, Placed]:
    placed = {name: layout.place(name, entry.shape, sizes) for name, entry in source.entries.items()}
    blocks: dict[str, set[int]] = {}
    prefixes: dict[str, str] = {}
    for name, parameter in placed.items():
        for stack, (begin, _), index in parameter.stacks:
            blocks.setdefault(stack, set()).add(index)
            prefixes[name[:begin]] = stack
    for stack, indices in blocks.items():
        missing = set(range(sizes[stack])) - indices
        if missing:
            raise ConfigError(
                f"there are no weights of block {min(missing)} of {stack!r}, which should have {sizes[stack]} blocks; "
                "the weights and the configuration belong to different networks"
            )
    for name, parameter in placed.items():
        _refuse_hidden_block(name, parameter, prefixes)
    return placed


def _refuse_hidden_block(name: str, placed: Placed, prefixes: Mapping[str, str]) -> None:
    """Refuse a parameter in a block if its rule does not name the stack: it would stay if the block is left out."""
    for number in re.finditer(r"(?<![^.])[0-9]+(?![^.])", name):
        stack = prefixes.get(name[: number.start()])
        if stack and any(begin <= number.start() < end for begin, end in placed.wild):
            raise PluginError(
                f"parameter {name!r} is in a block of {stack!r}, but its rule has '*' for the number of the block; "
                f"write '{{{stack}}}' there"
            )


def _axes(placed: Placed) -> list[Axis]:
    return [axis for axis in placed.axes if axis is not None] + [Axis(stack) for stack, _, _ in placed.stacks]


def _squares(tensor: Tensor, placed: Placed) -> tuple[Tensor, list[Axis]]:
    """Return the squares of `tensor`, summed over dimensions without an axis, and the axis of each other dimension."""
    squares = tensor.detach().to("cpu", torch.float64, copy=True).square_().reshape(placed.shape)
    whole = [dimension for dimension, axis in enumerate(placed.axes) if axis is None]
    if whole:
        squares = squares.sum(whole)
    return squares, [axis for axis in placed.axes if axis is not None]


def _sum_by_member(squares: Tensor, dimensions: Sequence[int]) -> Tensor:
    """Return for each member the sum over the elements that have its index in at least one of `dimensions`."""
    total: Tensor = torch.zeros((), dtype=squares.dtype)
    # Inclusion and exclusion: an element on the diagonal counts once.
    for count in range(1, len(dimensions) + 1):
        for together in itertools.combinations(dimensions, count):
            labels = [0 if i in together else i + 1 for i in range(squares.dim())]
            total = total - (-1) ** count * torch.einsum(squares, labels, [0])
    return total


def _new_name(name: str, placed: Placed, choice: Choice) -> str | None:
    """Return the name of a parameter in the smaller network, or None if that does not have its block."""
    for stack, (begin, end), index in reversed(placed.stacks):
        blocks = choice.kept.get(Axis(stack))
        if blocks is None:
            continue
        if index not in blocks:
            return None
        name = f"{name[:begin]}{blocks.index(index)}{name[end:]}"
    return name


def _take_members(entry: Stored, placed: Placed, choice: Choice) -> Stored:
    kept: dict[int, tuple[int, ...]] = {}
    for dimension, (size, axis) in enumerate(zip(placed.shape, placed.axes, strict=True)):
        members = None if axis is None else choice.kept.get(axis)
        if members is not None and members != tuple(range(size)):
            kept[dimension] = members
    if not kept:
        return entry
    factors = [len(kept.get(dimension, range(size))) for dimension, size in enumerate(placed.shape)]
    sizes = iter(factors)
    shape = tuple(math.prod(itertools.islice(sizes, count)) for count in placed.groups)

    def load() -> Tensor:
        tensor = entry.load()
        parts = tensor.reshape(placed.shape)
        for dimension, members in kept.items():
            together = range(members[0], members[0] + len(members)) if members else range(0)
            if members == tuple(together):
                # Neighbours are a view, so that the rest is never read from its file.
                parts = parts.narrow(dimension, together.start, len(together))
            else:
                parts = parts.index_select(dimension, torch.tensor(members, device=tensor.device))
        return parts.reshape(shape).clone(memory_format=torch.contiguous_format)

    return dataclasses.replace(entry, shape=shape, memory=(entry.memory, tuple(kept.items())), load=load)
