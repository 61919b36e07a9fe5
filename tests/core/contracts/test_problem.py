from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from denas_core.contracts.problem import REMEMBERED_COSTS, Problem
from denas_core.values.architecture import Architecture
from denas_core.values.objectives import Constraint
from tests.core.conditional_space import Conditional, Endless, all_members

SPACE = Conditional()
MEMBERS = all_members(SPACE)
archs = st.sampled_from(list(MEMBERS.values()))
seeds = st.integers(0, 2**32)
# From the smallest architecture's counts to the full one's.
params = st.integers(9, 110)
flops = st.integers(8, 1344)


@given(archs, seeds, params, flops)
def test_repair_makes_every_architecture_hold_its_upper_bounds(
    arch: Architecture, seed: int, most_params: int, most_flops: int
) -> None:
    problem = Problem(SPACE, [Constraint("params", True, most_params), Constraint("flops", True, most_flops)])
    repaired = problem.repair(arch, random.Random(seed))
    assert repaired.key in MEMBERS
    assert problem.violations(repaired) == {}
    assert problem.repair(arch, random.Random(seed)) == repaired
    if not problem.violations(arch):
        assert repaired == arch


@given(archs, seeds, params)
def test_repair_makes_every_architecture_hold_its_lower_bounds(
    arch: Architecture, seed: int, least: int
) -> None:
    problem = Problem(SPACE, [Constraint("params", False, least)])
    assert problem.violations(problem.repair(arch, random.Random(seed))) == {}


@given(archs, seeds, params)
def test_repair_hands_over_no_more_knobs_than_necessary(arch: Architecture, seed: int, most: int) -> None:
    problem = Problem(SPACE, [Constraint("params", True, most)])
    target = SPACE.smallest()
    repaired = problem.repair(arch, random.Random(seed))
    names = list(arch.values)
    random.Random(seed).shuffle(names)
    blends = [SPACE.blend(arch, target, names[:count]) for count in range(len(names) + 1)]
    assert repaired == next(blend for blend in blends if SPACE.cost(blend)["params"] <= most)


def test_repair_towards_a_bound_that_nothing_keeps_is_the_end_of_the_space() -> None:
    problem = Problem(SPACE, [Constraint("params", True, 1)])
    assert problem.repair(SPACE.full(), random.Random(0)) == SPACE.smallest()


def test_a_space_without_ends_is_repaired_by_changes_of_single_knobs() -> None:
    space = Endless()
    problem = Problem(space, [Constraint("params", True, 9)])
    assert problem.violations(problem.repair(SPACE.full(), random.Random(0))) == {}


def test_measured_constraints_play_no_part() -> None:
    problem = Problem(SPACE, [Constraint("latency_ms", True, 1e-9)])
    assert problem.violations(SPACE.full()) == {}
    assert len(problem.constraints) == 1


def test_a_violation_is_named_with_its_share_of_the_bound() -> None:
    few, little = Constraint("params", True, 55), Constraint("flops", True, 1344)
    # The full architecture has 3 * 32 + 7 * 2 parameters.
    assert Problem(SPACE, [few, little]).violations(SPACE.full()) == {few: (110 - 55) / 55}


def test_costs_are_counted_once_while_they_are_remembered() -> None:
    counted: list[str] = []

    class Counting(Conditional):
        def cost(self, arch: Architecture) -> dict[str, float]:
            counted.append(arch.key)
            return super().cost(arch)

    problem = Problem(Counting(deepest=7))
    rng = random.Random(0)
    members = {arch.key: arch for arch in (problem.space.sample(rng) for _ in range(3 * REMEMBERED_COSTS))}
    archs = list(members.values())[: REMEMBERED_COSTS + 1]
    for arch in archs:
        assert problem.cost(arch) == problem.cost(arch)
    assert len(counted) == REMEMBERED_COSTS + 1
    problem.cost(archs[-1])
    assert len(counted) == REMEMBERED_COSTS + 1
    problem.cost(archs[0])
    assert len(counted) == REMEMBERED_COSTS + 2
