"""The cost of a network from those of networks of few layers: in a search it is asked for far more than a score.

Layers of a stack are alike, so that each costs what the third does beside the first two. The first may cost less
memory, since less is alive while it runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from denas_core import SearchSpace

    from .original import Dimensions, Original

_BYTES = ("size_mb", "memory_mb")


FEWEST = 2
"""Layers of each stack from which on one more costs the same."""


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """Costs of small networks of the same widths, in units and bytes.

    Attributes:
        fewest: Of one with `FEWEST` layers in each stack.
        one_more: By stack: of one with one layer more in it.
    """

    fewest: Mapping[str, int]
    one_more: Mapping[str, Mapping[str, int]]

    def of(self, depths: Mapping[str, int]) -> dict[str, float]:
        """Return the cost of a network of these widths with `depths` layers by stack, `FEWEST` or more in each."""
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
