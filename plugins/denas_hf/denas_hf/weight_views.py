"""List the weights of a network by role, according to the rules of its family."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from torch import nn

from denas_core import WeightView
from denas_core.errors import PluginError
from denas_core.pretrained import Placed

from .network import base_of
from .original import Original

_OUTPUT = ("attention.q", "attention.k", "attention.v", "ffn.in")
"""Kinds of weights whose outputs are heads or neurons; for the other kinds, the inputs are."""

_NEURONS = ("heads", "groups", "ffn")


def views_of(original: Original, network: nn.Module) -> list[WeightView]:
    """Return the weights whose rules name a kind; matrices outside of the base model belong to the head.

    Embeddings are layer 0, followed by the layers of all stacks, then the head.
    """
    prefix, base = base_of(network)
    config = base.config
    sizes, layout = original.sizes(config), original.layout
    depths = {stack: sizes[stack] for stack in original.family.stacks}
    views: list[WeightView] = []
    for name, parameter in network.named_parameters():
        inner = name.removeprefix(prefix)
        pattern = layout.pattern_of(inner) if name.startswith(prefix) else None
        if pattern is None:
            if parameter.dim() == 2:
                views.append(WeightView(name, "head", sum(depths.values()) + 1))
            continue
        kinds = original.kinds[pattern]
        if kinds:
            placed = layout.place(inner, parameter.shape, sizes)
            views += _views(name, placed, kinds, _layer(placed, kinds, depths), original.family.twins)
    return views


def _views(
    name: str, placed: Placed, kinds: tuple[str, ...], layer: int, twins: Mapping[str, str]
) -> list[WeightView]:
    dimensions = list(_dimensions(placed, twins))
    at = next((i for i, axes in enumerate(dimensions) if not axes.isdisjoint(_NEURONS)), None)
    wanted = 0 if kinds[0] in _OUTPUT else 1
    transposed = at is not None and at != wanted
    if len(kinds) == 1:
        return [WeightView(name, kinds[0], layer, transposed=transposed)]
    if at is None or wanted or placed.shape[_first(placed, at)] != len(kinds):
        raise PluginError(
            f"the rule for {name!r} names {len(kinds)} kinds, which must be the outermost factor of what comes out"
        )
    rows = _length(placed, at) // len(kinds)
    return [
        WeightView(name, kind, layer, rows=(part * rows, (part + 1) * rows), transposed=transposed)
        for part, kind in enumerate(kinds)
    ]


def _dimensions(placed: Placed, twins: Mapping[str, str]) -> list[set[str]]:
    axes = iter(placed.axes)
    return [
        {twins.get(axis.name, axis.name) for axis in itertools.islice(axes, count) if axis is not None}
        for count in placed.groups
    ]


def _first(placed: Placed, dimension: int) -> int:
    return sum(placed.groups[:dimension])


def _length(placed: Placed, dimension: int) -> int:
    first, length = _first(placed, dimension), 1
    for part in placed.shape[first : first + placed.groups[dimension]]:
        length *= part
    return length


def _layer(placed: Placed, kinds: tuple[str, ...], depths: Mapping[str, int]) -> int:
    if kinds == ("embed",):
        return 0
    if kinds == ("head",):
        return sum(depths.values()) + 1
    below = dict(zip(depths, itertools.accumulate(depths.values(), initial=1), strict=False))
    # Weights that belong to no stack are shared by all layers.
    return max((below[stack] + index for stack, _, index in placed.stacks), default=1)
