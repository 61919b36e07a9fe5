"""Architectures within narrow bounds are found, from anywhere and with several metrics at once."""

from __future__ import annotations

import random

import pytest

from denas_core.builtin.evolution import Evolution
from denas_core.builtin.random_search import RandomSearch
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy, propose_random
from denas_core.values.architecture import Architecture
from denas_core.values.objectives import Constraint
from denas_core.values.trial import Evaluation, Trial
from tests.core.conditional_space import Conditional, Endless

SPACE = Conditional(deepest=9)


def exactly(space: Conditional, arch: Architecture) -> list[Constraint]:
    """Return the bounds that only architectures with the same parameters and FLOPs keep."""
    cost = space.cost(arch)
    return [Constraint(metric, upper, cost[metric]) for metric in cost for upper in (True, False)]


@pytest.mark.parametrize("space", [SPACE, Endless(deepest=9)], ids=["ends", "no ends"])
def test_a_single_value_of_two_metrics_is_met_from_anywhere(space: Conditional) -> None:
    rng = random.Random(0)
    met = 0
    for _ in range(20):
        problem = Problem(space, exactly(space, space.sample(rng)))
        start, seed = space.sample(rng), rng.random()
        found = problem.repair(start, random.Random(seed))
        assert problem.repair(start, random.Random(seed)) == found
        met += not problem.violations(found)
    assert met >= 19


def test_the_least_violating_architecture_is_returned_where_none_keeps_the_bounds() -> None:
    # 9 parameters with a factor of 1, or 3 times as many FLOPs as widths: 24 FLOPs take 8 + 3 parameters.
    problem = Problem(SPACE, [Constraint("params", True, 9), Constraint("flops", False, 24)])
    found = problem.repair(SPACE.full(), random.Random(0))
    assert SPACE.cost(found) == {"params": 11, "flops": 24}


def test_samples_are_uniform_where_many_architectures_keep_the_bounds() -> None:
    rng = random.Random(0)
    problem = Problem(SPACE, [Constraint("params", True, 100)])
    drawn = [problem.sample(rng) for _ in range(300)]
    depths = [int(arch["depth"]) for arch in drawn]
    samples = [arch for arch in (SPACE.sample(rng) for _ in range(2000)) if not problem.violations(arch)]
    expected = sum(int(arch["depth"]) for arch in samples) / len(samples)
    assert not any(problem.violations(arch) for arch in drawn)
    # The standard error of the mean is 0.09.
    assert abs(sum(depths) / len(depths) - expected) < 0.4


def test_repaired_samples_are_as_different_as_random_ones_within_the_bounds() -> None:
    rng = random.Random(1)
    problem = Problem(SPACE, [Constraint("params", False, 120), Constraint("params", True, 122)])
    random_ones = [arch for arch in (SPACE.sample(rng) for _ in range(3000)) if not problem.violations(arch)]
    assert 15 <= len(random_ones) <= 150
    drawn = propose_random(problem, History(), count=len(random_ones), seed=0)
    for knob in ("depth", "mixer", "width1", "width2"):
        values = {arch[knob] for arch in drawn}
        assert len(values) >= len({arch[knob] for arch in random_ones}) - 1


def trials(problem: Problem, strategy: Strategy, count: int) -> list[Trial]:
    """Return the trials of a search in which the score is the number of FLOPs."""
    found: list[Trial] = []
    for generation in range(count // strategy.generation_size):
        values = {trial.arch.key: trial.evaluation.metrics["flops"] for trial in found}
        ranked = sorted(found, key=lambda trial: (not trial.is_scored, -values[trial.arch.key]))
        history = History(trials=found, ranked=ranked, values=values)
        asked = strategy.ask(problem, history, count=strategy.generation_size, seed=generation)
        for arch in asked:
            broken = problem.violations(arch)
            evaluation = Evaluation(
                state="infeasible" if broken else "scored",
                reason="broken" if broken else "",
                metrics=problem.cost(arch),
                violation=sum(broken.values()),
            )
            found.append(Trial(index=len(found), generation=generation, arch=arch, evaluation=evaluation))
    return found


@pytest.mark.parametrize(
    "strategy",
    [RandomSearch(batch=50), Evolution(population=10, mutations=20, crossovers=20)],
    ids=["random", "evolution"],
)
def test_nearly_all_proposals_keep_a_band_that_few_random_networks_keep(strategy: Strategy) -> None:
    rng = random.Random(2)
    bounds = [
        *(Constraint("params", upper, bound) for upper, bound in ((False, 150), (True, 151))),
        *(Constraint("flops", upper, bound) for upper, bound in ((False, 1000), (True, 1100))),
    ]
    problem = Problem(SPACE, bounds)
    assert sum(not problem.violations(SPACE.sample(rng)) for _ in range(1000)) <= 5
    found = trials(problem, strategy, 100)
    assert len(found) == 100
    assert sum(trial.is_scored for trial in found) >= 97


def test_nothing_is_proposed_when_all_that_keep_the_bounds_are_known() -> None:
    space = Conditional()
    # One layer of 8 and no convolution; the full architecture is 100 times as large.
    problem = Problem(space, [Constraint("params", True, 9)])
    found = trials(problem, RandomSearch(batch=5), 10)
    assert [space.cost(trial.arch)["params"] for trial in found] == [9]


def test_architectures_beyond_the_bounds_are_proposed_where_none_keeps_them() -> None:
    problem = Problem(SPACE, [Constraint("params", True, 1)])
    proposed = propose_random(problem, History(), count=2, seed=0)
    assert [SPACE.cost(arch)["params"] for arch in proposed][:1] == [9]
    assert len({arch.key for arch in proposed}) == len(proposed)
