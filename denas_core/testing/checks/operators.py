"""What mutation, crossover, blending and neighbours of a search space must do."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from denas_core.testing.check import Check, require
from denas_core.testing.samples.members import different, ends, require_inside, samples
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture


def mutations_are_others(space: SearchSpace) -> None:
    """A mutation is another architecture than its parent."""
    for arch in different(space):
        for seed in range(6):
            child = space.mutate(arch, random.Random(seed))
            require(
                child.key != arch.key,
                f"mutate() returns its parent {safe_repr(arch.as_dict())}; draw again until something changes",
            )


def children_are_inside(space: SearchSpace) -> None:
    """Mutations, crossovers, blends and neighbours are architectures of the space."""
    archs = [*samples(space, 4), *ends(space)]
    names = [knob.name for knob in space.knobs()]
    for seed, (first, second) in enumerate(zip(archs, reversed(archs), strict=True)):
        rng = random.Random(seed)
        require_inside(space, space.mutate(first, rng), "mutate()")
        require_inside(space, space.crossover(first, second, rng), "crossover()")
        require_inside(space, space.blend(first, second, rng.sample(names, len(names) // 2)), "blend()")
    for neighbour in space.neighbours(archs[0]):
        require_inside(space, neighbour, "neighbours()")


def children_repeat(space: SearchSpace) -> None:
    """Mutation and crossover give the same child for equal generators."""
    first, second = samples(space, 2)

    def children(seed: int) -> list[Architecture]:
        return [space.mutate(first, random.Random(seed)), space.crossover(first, second, random.Random(seed))]

    for seed in range(12):
        one, other = children(seed), children(seed)
        require(
            one == other,
            f"mutate() or crossover() gives {safe_repr([c.as_dict() for c in one])} and then "
            f"{safe_repr([c.as_dict() for c in other])} with an equal rng; draw from the rng that is given",
        )


def neighbours_are_others(space: SearchSpace) -> None:
    """Neighbours are distinct, and the architecture is not among its own."""
    for arch in samples(space, 2):
        keys = [neighbour.key for neighbour in space.neighbours(arch)]
        require(arch.key not in keys, f"{safe_repr(arch.as_dict())} is its own neighbour; leave it out")
        require(
            len(set(keys)) == len(keys), f"{safe_repr(arch.as_dict())} has a neighbour twice; compare by key"
        )


OPERATOR_CHECKS: tuple[Check, ...] = (
    mutations_are_others,
    children_are_inside,
    children_repeat,
    neighbours_are_others,
)
