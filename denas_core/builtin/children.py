"""A first generation of random architectures, and later generations that are bred: what evolving strategies share."""

from __future__ import annotations

import random
from collections.abc import Callable

from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, propose_distinct, propose_random
from denas_core.seeding import derive_seed
from denas_core.values.architecture import Architecture


def propose_children(
    problem: Problem,
    history: History,
    *,
    count: int,
    seed: int,
    children: int,
    breed: Callable[[random.Random], Architecture] | None,
) -> list[Architecture]:
    """Return `count` random architectures if nothing is known, and at most `children` bred ones otherwise.

    Args:
        problem: The space and its constraints.
        history: Every finished generation.
        count: Number of architectures wanted.
        seed: Seed of the generation.
        children: Size of every generation after the first.
        breed: Returns a child; None if no trial can be a parent.

    Returns:
        The architectures. If no child is new, they are random, so that a population that has converged does not end
        the search.
    """
    if not history.trials:
        return propose_random(problem, history, count=count, seed=seed)
    count = min(count, children)
    if breed is not None:
        found = propose_distinct(
            problem, history, count=count, seed=seed, propose=lambda place, rng: breed(rng)
        )
        if found:
            return found
    return propose_random(problem, history, count=count, seed=derive_seed(seed, "random"))
