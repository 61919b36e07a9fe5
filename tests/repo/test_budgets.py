"""The bounds of a measurement."""

from __future__ import annotations

import pytest

from benchmarks.budgets import problem_of
from denas_core.errors import Infeasible
from denas_core.testing import SampleMLP


def test_a_relative_bound_is_one_of_the_largest_network() -> None:
    space = SampleMLP()
    problem = problem_of(space, ["params<=0.5x"])
    assert problem.constraints[0].bound == space.cost(space.full())["params"] / 2
    assert problem.violations(space.full())
    assert not problem.violations(space.smallest())
    with pytest.raises(Infeasible):
        problem_of(space, ["params<=1"])
