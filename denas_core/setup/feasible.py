"""The check, before a search, that some architecture keeps all constraints together."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator

from denas_core.contracts.climb import climb
from denas_core.contracts.problem import Problem
from denas_core.contracts.space import SearchSpace
from denas_core.errors import Infeasible
from denas_core.seeding import derive_rng
from denas_core.text import quantity
from denas_core.values.architecture import Architecture
from denas_core.values.objectives import Constraint

STARTS = 6
"""Random architectures from which one within the constraints is searched."""

SECONDS = 4.0
"""CPU seconds of the search."""

LEAST_STARTS = 3
"""Searches that must have ended before the constraints count as infeasible."""

LEAST_COUNTED = 50
"""Architectures that are enough if the space takes long for each, and if none of them is near the bounds."""

FAR = 0.05
"""Total violation that is not near the bounds."""

MOST_COUNTED = 300
"""Architectures whose cost is counted for the largest value of a metric, because a space may take a while for one."""


@dataclasses.dataclass(slots=True)
class _Clock:
    """The end of the search, and how many architectures it has counted so far."""

    end: float
    counted: int = 0

    @property
    def is_past(self) -> bool:
        return time.process_time() >= self.end

    def is_over(self) -> bool:
        self.counted += 1
        return self.is_past


def check_feasible(problem: Problem) -> None:
    """Search for an architecture that keeps all constraints that need no measurement.

    The search starts at both ends of the space and at random architectures, the same ones each time. It finds nothing
    out if the costs of the space take so long to count that `SECONDS` are too short for it.

    Raises:
        Infeasible: no architecture was found. The text names the bounds that are in the way, and values that can be had
            together with the others.
    """
    if not problem.counted_constraints:
        return
    clock = _Clock(time.process_time() + SECONDS)
    nearest: Architecture | None = None
    least, ended = math.inf, 0
    for number, start in enumerate(_starts(problem)):
        found = problem.repair(start, derive_rng(0, "feasible", number), is_over=clock.is_over)
        violation = problem.total_violation(found)
        if not violation:
            return
        if violation < least:
            nearest, least = found, violation
        if clock.is_past:
            break
        ended += 1
    is_far = clock.counted >= LEAST_COUNTED and least >= FAR
    if nearest is not None and (ended >= LEAST_STARTS or is_far):
        raise Infeasible(explain(problem, nearest))


def explain(problem: Problem, nearest: Architecture) -> str:
    """Return the text for constraints that only `nearest` comes near to."""
    cost, broken = problem.cost(nearest), problem.violations(nearest)
    kept = [str(bound) for bound in problem.counted_constraints if bound not in broken]
    instead = [str(_loosened(bound, cost[bound.metric])) for bound in broken]
    has = ", ".join(f"{quantity(cost[bound.metric])} {bound.metric}" for bound in broken)
    together = f" together with {' and '.join(kept)}" if kept else ""
    return (
        f"no architecture of {problem.space.id!r} was found that has {' and '.join(map(str, broken))}{together}; the "
        f"nearest has {has}, so {' and '.join(instead)} can be had{together}"
    )


def largest_value(space: SearchSpace, full: Architecture, metric: str) -> float:
    """Return the largest value of a metric that is found in a space.

    The full architecture has the most parameters, but perhaps not the largest value of the metric. The search starts
    there, and changes the knob that gives the largest value until no change gives a larger one.
    """
    problem = Problem(space)
    best = climb(full, problem, lambda cost: cost[metric], most=MOST_COUNTED)
    return problem.cost(best)[metric]


def _starts(problem: Problem) -> Iterator[Architecture]:
    space = problem.space
    yield from (end for end in (space.smallest(), space.full()) if end is not None)
    for number in range(STARTS):
        yield space.sample(derive_rng(0, "feasible", "start", number))


def _loosened(bound: Constraint, value: float) -> Constraint:
    """Return the bound that `value` keeps, with four digits: rounded up if it is an upper bound, else down."""
    scale = 10.0 ** (math.floor(math.log10(value)) - 3) if value > 0 else 1.0
    rounded = (math.ceil if bound.upper else math.floor)(value / scale) * scale
    return dataclasses.replace(bound, bound=rounded)
