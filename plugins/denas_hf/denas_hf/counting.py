"""Compute the cost of a network from the costs of networks with few layers.

A search needs costs far more often than scores. All layers of a stack are alike, so each costs what a third layer adds
to two. The first layer may need less memory, since fewer tensors exist while it runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from denas_core import SearchSpace
    from denas_core.networks import Piece

    from .original import Dimensions, Original

_BYTES = ("size_mb", "memory_mb")


FEWEST = 2
"""From this number of layers in a stack on, each further layer adds the same cost."""


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """Costs of small networks with the same widths.

    Attributes:
        fewest: The cost of a network with `FEWEST` layers in each stack.
        one_more: For each stack, the cost of a network with one more layer in it.
    """

    fewest: Mapping[str, int]
    one_more: Mapping[str, Mapping[str, int]]

    def of(self, depths: Mapping[str, int]) -> dict[str, float]:
        """Return the cost of a network with `depths` layers by stack; each stack has `FEWEST` layers or more."""
        cost: dict[str, float] = {}
        for name, value in self.fewest.items():
            total = value + sum(
                (depth - FEWEST) * (self.one_more[stack][name] - value) for stack, depth in depths.items()
            )
            cost[name] = total / 1e6 if name in _BYTES else total
        return cost


def counted(space: SearchSpace, original: Original, wanted: Dimensions) -> Counts:
    """Return the costs of small networks with the widths of `wanted`.

    Raises:
        Infeasible: a network is too large for torch to describe.
    """
    fewest = dict.fromkeys(original.family.stacks, FEWEST)
    return Counts(
        _counted(space, original, wanted, fewest),
        {stack: _counted(space, original, wanted, {**fewest, stack: FEWEST + 1}) for stack in fewest},
    )


def pieces_of(original: Original, wanted: Dimensions) -> list[Piece]:
    """Return networks with few layers in each stack that add up to a network; none if its layers are too few."""
    from denas_core.networks import Piece

    from .network import build_network

    depths = original.depths_of(wanted)
    if not original.is_uniform or min(depths.values()) < FEWEST:
        return []

    def piece(some: Mapping[str, int], count: int) -> Piece:
        return Piece(
            key=(wanted.heads, wanted.hidden, wanted.intermediate, *some.items()),
            build=lambda: build_network(original, original.resized(wanted, some)),
            count=count,
        )

    fewest = dict.fromkeys(depths, FEWEST)
    further = {stack: depth - FEWEST for stack, depth in depths.items() if depth > FEWEST}
    return [
        piece(fewest, 1 - sum(further.values())),
        *(piece({**fewest, stack: FEWEST + 1}, count) for stack, count in further.items()),
    ]


def _counted(
    space: SearchSpace, original: Original, wanted: Dimensions, depths: Mapping[str, int]
) -> dict[str, int]:
    from denas_core.networks import count_cost

    from .network import build_network

    cost = count_cost(
        lambda: build_network(original, original.resized(wanted, depths)),
        batch=lambda: space.batch(1, seed=0, kind="cost"),
        forward=space.forward,
        parts=space.parts,
        name=space.describe(),
    )
    return {name: round(value * 1e6) if name in _BYTES else int(value) for name, value in cost.items()}
