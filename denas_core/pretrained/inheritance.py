"""Weight inheritance: the weights of a smaller network, taken from those of a larger one.

What is taken are members of named axes (heads, neurons, channels) and blocks of stacks, wherever a parameter runs over
them; a `Layout` says where that is. So heads stay whole in fused and in transposed projections, and every parameter
that is tied by an axis keeps the same members.
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

By = Literal["leading", "magnitude"]
"""``leading``: the first members and blocks; ``magnitude``: those of largest norm, in their order."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Which members of each axis, and which blocks of each stack, a smaller network takes.

    Attributes:
        kept: Their indices in the larger network, in the order in which the smaller one has them. An axis that is not
            here is kept whole.
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
) -> dict[str, Tensor]:
    """Return the weights that a network of `target_sizes` takes from `source`, under its own names.

    Equal sizes give every tensor of `source` as it is, in the same memory.

    Args:
        layout: Over which axes the parameters run.
        source: Every parameter of the larger network, by name.
        source_sizes: Members of each axis, and blocks of each stack, in the larger network.
        target_sizes: The same of the smaller one; an axis that is not here keeps its size.
        by: See `By`.
        importance: What `member_importance` returned for `source`, so that it is found once for many networks.

    Raises:
        ConfigError: the smaller network is larger, `source` is of another size than `source_sizes`, or is not finite.
        PluginError: the layout does not cover `source`.
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
    """Return which members of each axis, and which blocks, a network of `target_sizes` takes; ascending.

    Of members that are equally important, the first are taken. Arguments and errors as `inherited`.
    """
    unknown = sorted(target_sizes.keys() - source_sizes.keys())
    if unknown:
        raise PluginError(
            f"the smaller network has a size of {unknown[0]!r}, and the larger has none; name the same axes"
        )
    holders: dict[Axis, str] = {}
    for name, placed in _placed(layout, source, source_sizes).items():
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
) -> dict[str, Tensor]:
    """Return what `choice` keeps of `source`, a network of `sizes`, under the names of the smaller network.

    The indices of a choice may have any order, so a permutation permutes. A parameter that is kept whole is returned
    as it is, in the same memory.

    Raises:
        ConfigError, PluginError: as `inherited`.
    """
    taken: dict[str, Tensor] = {}
    for name, placed in _placed(layout, source, sizes).items():
        new_name = _renamed(name, placed, choice)
        if new_name is not None:
            taken[new_name] = _taken(source[name], placed, choice)
    return taken


def member_importance(
    layout: Layout, source: Mapping[str, Tensor], *, sizes: Mapping[str, int]
) -> dict[Axis, Tensor]:
    """Return the sum of squares of all weights that belong to each member of each axis, and to each block.

    A weight counts once for a member or block, also where a parameter runs over the axis twice, and where several
    parameters share its memory. Sums are in float64.

    Raises:
        ConfigError: weights are not finite, or as `inherited`.
    """
    importance: dict[Axis, Tensor] = {}
    seen: set[object] = set()
    for name, placed in _placed(layout, source, sizes).items():
        tensor = source[name]
        memory = (tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        blocks = [(Axis(stack), index) for stack, _, index in placed.stacks]
        for axis in _axes(placed):
            importance.setdefault(axis, torch.zeros(sizes[axis.name], dtype=torch.float64))
        new = {(memory, part) for part in (*placed.axes, *blocks)} - seen
        if not new:
            continue
        seen |= new
        squares, axes = _squares(tensor, placed)
        total = squares.sum().item()
        if not math.isfinite(total):
            raise ConfigError(f"parameter {name!r} holds weights that are not finite; use another checkpoint")
        for axis in set(axes):
            if (memory, axis) in new:
                importance[axis] += _marginal(squares, [i for i, other in enumerate(axes) if other == axis])
        for stack, index in blocks:
            if (memory, (stack, index)) in new:
                importance[stack][index] += total
    return importance


def _placed(layout: Layout, source: Mapping[str, Tensor], sizes: Mapping[str, int]) -> dict[str, Placed]:
    placed = {name: layout.place(name, tensor.shape, sizes) for name, tensor in source.items()}
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
                f"block {min(missing)} of {stack!r}, which should have {sizes[stack]}, has no weights; the weights and "
                "the configuration are of different networks"
            )
    for name, parameter in placed.items():
        _refuse_hidden_block(name, parameter, prefixes)
    return placed


def _refuse_hidden_block(name: str, placed: Placed, prefixes: Mapping[str, str]) -> None:
    """Refuse a parameter of a block that its rule does not name: it would stay when the block goes."""
    for number in re.finditer(r"(?<![^.])[0-9]+(?![^.])", name):
        stack = prefixes.get(name[: number.start()])
        if stack and any(begin <= number.start() < end for begin, end in placed.wild):
            raise PluginError(
                f"parameter {name!r} lies in a block of {stack!r}, where its rule has '*'; put '{{{stack}}}' there"
            )


def _axes(placed: Placed) -> list[Axis]:
    return [axis for axis in placed.axes if axis is not None] + [Axis(stack) for stack, _, _ in placed.stacks]


def _squares(tensor: Tensor, placed: Placed) -> tuple[Tensor, list[Axis]]:
    """Return the squares of `tensor`, summed over what is kept whole, and the axis of each dimension left."""
    squares = tensor.detach().to("cpu", torch.float64, copy=True).square_().reshape(placed.shape)
    whole = [dimension for dimension, axis in enumerate(placed.axes) if axis is None]
    if whole:
        squares = squares.sum(whole)
    return squares, [axis for axis in placed.axes if axis is not None]


def _marginal(squares: Tensor, dimensions: Sequence[int]) -> Tensor:
    """Return the sum over all elements that a member indexes by at least one of `dimensions`, each counted once."""
    total: Tensor = torch.zeros((), dtype=squares.dtype)
    # Inclusion and exclusion: an element on the diagonal belongs to its member once.
    for count in range(1, len(dimensions) + 1):
        for together in itertools.combinations(dimensions, count):
            labels = [0 if i in together else i + 1 for i in range(squares.dim())]
            total = total - (-1) ** count * torch.einsum(squares, labels, [0])
    return total


def _renamed(name: str, placed: Placed, choice: Choice) -> str | None:
    """Return the name of a parameter in the smaller network, or None if its block is not there."""
    for stack, (begin, end), index in reversed(placed.stacks):
        blocks = choice.kept.get(Axis(stack))
        if blocks is None:
            continue
        if index not in blocks:
            return None
        name = f"{name[:begin]}{blocks.index(index)}{name[end:]}"
    return name


def _taken(tensor: Tensor, placed: Placed, choice: Choice) -> Tensor:
    parts, shape = tensor.reshape(placed.shape), list(placed.shape)
    changed = False
    for dimension, axis in enumerate(placed.axes):
        members = None if axis is None else choice.kept.get(axis)
        if members is not None and members != tuple(range(shape[dimension])):
            parts = parts.index_select(dimension, torch.tensor(members, device=tensor.device))
            shape[dimension] = len(members)
            changed = True
    if not changed:
        return tensor
    dimensions = iter(shape)
    return parts.reshape([math.prod(itertools.islice(dimensions, count)) for count in placed.groups])
