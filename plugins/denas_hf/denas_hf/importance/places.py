"""Where the members of a checkpoint's axes are seen: inputs of modules, outputs of norms, and blocks."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from denas_core.pretrained import Axis, Placed
from denas_hf.original import Original
from denas_hf.watching import is_norm

READ = ("attention.out", "ffn.out")
"""Kinds of weights whose inputs are heads or neurons."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """A module whose inputs are the members of an axis.

    Attributes:
        axis: The axis.
        factors: Sizes of the factors of its inputs.
        place: Place of the axis in `factors`.
        weight: Its weight as (inputs, outputs).
    """

    axis: Axis
    factors: tuple[int, ...]
    place: int
    weight: Tensor

    def by_member(self, values: Tensor) -> Tensor:
        """Return the sums of `values` (inputs,) by member."""
        parts = values.reshape(self.factors)
        others = [place for place in range(len(self.factors)) if place != self.place]
        return parts.sum(others) if others else parts


def readers_of(network: nn.Module, original: Original) -> dict[str, Reader]:
    """Return the modules whose inputs are heads or neurons, by name."""
    sizes = original.sizes(original.config)
    found = {}
    for name, parameter in network.named_parameters():
        pattern = original.layout.pattern_of(name)
        if pattern is None or original.kinds[pattern] not in [(kind,) for kind in READ]:
            continue
        placed = original.layout.place(name, parameter.shape, sizes)
        for dimension, (factors, axes) in enumerate(factored(placed)):
            places = [
                place for place, axis in enumerate(axes) if axis is not None and _is_chosen(axis, original)
            ]
            if places:
                weight = parameter.detach()
                weight = weight.T if dimension else weight
                place = places[0]
                axis = axes[place]
                assert axis is not None
                found[name.rpartition(".")[0]] = Reader(axis, factors, place, weight)
    return found


def factored(placed: Placed) -> Iterator[tuple[tuple[int, ...], tuple[Axis | None, ...]]]:
    """Yield the sizes of the factors of each dimension of a parameter, and their axes."""
    shape, axes = iter(placed.shape), iter(placed.axes)
    for count in placed.groups:
        yield tuple(itertools.islice(shape, count)), tuple(itertools.islice(axes, count))


def norms_of(network: nn.Module, original: Original) -> list[str]:
    """Return the names of the norms of the hidden features; none if layers divide the features into groups."""
    width = original.dimensions.hidden
    if original.blocks > 1:
        return []
    return [
        name
        for name, module in network.named_modules()
        if is_norm(module) and _is_of_hidden(f"{name}.weight", width, original)
    ]


def blocks_of(network: nn.Module, original: Original) -> Mapping[str, tuple[Axis, int]]:
    """Return the stack and the number of each block, by the name of its module."""
    sizes = original.sizes(original.config)
    found: dict[str, tuple[Axis, int]] = {}
    for name, parameter in network.named_parameters():
        if original.layout.pattern_of(name) is None:
            continue
        for stack, (_, end), index in original.layout.place(name, parameter.shape, sizes).stacks:
            found[name[:end]] = (Axis(stack), index)
    return found


def zeros(network: nn.Module, original: Original) -> dict[Axis, Tensor]:
    """Return a sum of 0 for each member of each axis that is seen."""
    sizes = original.sizes(original.config)
    axes = {reader.axis for reader in readers_of(network, original).values()}
    if norms_of(network, original):
        axes.add(Axis("hidden"))
    return {axis: torch.zeros(sizes[axis.name], dtype=torch.float64) for axis in axes}


def _is_chosen(axis: Axis, original: Original) -> bool:
    return original.family.twins.get(axis.name, axis.name) in ("heads", "groups", "ffn")


def _is_of_hidden(name: str, width: int, original: Original) -> bool:
    if original.layout.pattern_of(name) is None:
        return False
    placed = original.layout.place(name, (width,), original.sizes(original.config))
    return placed.axes == (Axis("hidden"),)
