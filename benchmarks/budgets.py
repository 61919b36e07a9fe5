"""A space and the bounds that a user writes."""

from __future__ import annotations

from collections.abc import Iterable

from denas_core import SearchSpace
from denas_core.contracts.problem import Problem
from denas_core.setup.bounds import reachable
from denas_core.values.objectives import Constraint


def problem_of(space: SearchSpace, constraints: Iterable[str]) -> Problem:
    """Return a space with bounds such as ``params<=300k`` or ``params<=0.6x``, of which the latter become absolute.

    Raises:
        Infeasible: no network of the space keeps one of them.
    """
    bounds, _ = reachable([Constraint.parse(text) for text in constraints], space)
    return Problem(space, bounds)
