"""The largest architecture within constraints that is found by changing one knob at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from denas_core.values.architecture import Architecture

from .problem import Problem

MOST_COSTS = 1000
"""Architectures whose cost a climb counts at most, because a space may take a while to count one."""


def climb(
    start: Architecture,
    problem: Problem,
    size: Callable[[Mapping[str, float]], Any],
    *,
    most: int = MOST_COSTS,
) -> Architecture:
    """Return the architecture at which no change of one knob gives a larger one within the constraints.

    Each step makes the change that gives the largest one.

    Args:
        start: The architecture to start from, which keeps the constraints.
        problem: The space and its constraints.
        size: Returns how large an architecture is, from its cost.
        most: Number of architectures whose cost is counted; the largest so far is returned after them.
    """
    best, counted = start, 0
    while True:
        larger = best
        for other in sorted(problem.space.neighbours(best), key=lambda arch: arch.key):
            if counted == most:
                return larger
            counted += 1
            if size(problem.cost(other)) > size(problem.cost(larger)) and not problem.violations(other):
                larger = other
        if larger == best:
            return best
        best = larger
