"""What the strategies that learn find in a small space whose best architectures are known by brute force."""

from __future__ import annotations

import statistics

import pytest

from denas_core import Strategy, derive_seed
from denas_core.builtin.local_search import LocalSearch
from denas_core.builtin.nsga2 import NSGA2
from denas_core.builtin.random_search import RandomSearch
from denas_core.builtin.regularized_evolution import RegularizedEvolution
from denas_core.contracts.strategy import History
from denas_core.values.objectives import Constraint
from tests.core.conditional_space import all_members

from .small_spaces import SPACE, evaluated, problem_of, ranked, score, search, share_of_front, true_front

SEEDS = range(5)
LEARNING = [NSGA2(), RegularizedEvolution(), LocalSearch()]
MEMBERS = list(all_members(SPACE).values())  # type: ignore[arg-type]


def named(strategy: Strategy) -> str:
    return type(strategy).__name__


def test_nsga2_finds_the_front_with_a_third_of_the_evaluations_of_random_search() -> None:
    problem, front = problem_of("score", "params"), true_front()
    by_nsga2 = [share_of_front(search(NSGA2(), problem, budget=400, seed=seed), front) for seed in SEEDS]
    by_random = [
        share_of_front(search(RandomSearch(), problem, budget=1200, seed=seed), front) for seed in SEEDS
    ]
    assert statistics.fmean(by_nsga2) > statistics.fmean(by_random) + 0.15


def test_nsga2_follows_the_direction_of_an_objective() -> None:
    largest = max(SPACE.cost(arch)["params"] for arch in MEMBERS)
    trials = search(NSGA2(), problem_of("max:params"), budget=250, seed=0)
    assert max(trial.evaluation.metrics["params"] for trial in trials) == largest
    trials = search(NSGA2(), problem_of("params"), budget=250, seed=0)
    assert min(trial.evaluation.metrics["params"] for trial in trials) == 0


@pytest.mark.parametrize("strategy", LEARNING, ids=named)
def test_a_strategy_that_learns_beats_random_search(strategy: Strategy) -> None:
    problem = problem_of("score")

    def mean(each: Strategy) -> float:
        found = [search(each, problem, budget=200, seed=seed) for seed in SEEDS]
        return statistics.fmean(max(score(trial.arch) for trial in trials) for trials in found)

    best = max(map(score, MEMBERS))
    # Both are in units of what random search lacks; the margin is half of it.
    assert best - mean(strategy) < 0.5 * (best - mean(RandomSearch()))


@pytest.mark.parametrize("strategy", LEARNING, ids=named)
def test_the_first_generation_is_random_and_later_ones_are_small(strategy: Strategy) -> None:
    problem = problem_of("score")
    first = strategy.ask(problem, History(), count=50, seed=3)
    assert first == RandomSearch().ask(problem, History(), count=50, seed=3)
    history = ranked([evaluated(arch, index, 0, problem) for index, arch in enumerate(first)])
    assert len(strategy.ask(problem, history, count=50, seed=4)) == strategy.options()["children"] < 50
    assert len(strategy.ask(problem, history, count=4, seed=4)) == 4


@pytest.mark.parametrize("strategy", LEARNING, ids=named)
def test_proposals_depend_on_finished_generations_alone(strategy: Strategy) -> None:
    problem = problem_of("score", "params")
    whole = search(strategy, problem, budget=110, seed=1)
    last = whole[-1].generation - 1
    # A resumed search asks for its last generation again, with another object and the trials before it.
    finished = ranked([trial for trial in whole if trial.generation < last])
    again = type(strategy)(**strategy.options()).ask(
        problem, finished, count=strategy.generation_size, seed=derive_seed(1, "generation", last)
    )
    assert [trial.arch for trial in whole if trial.generation == last] == again


def test_the_second_generation_of_nsga2_has_both_ends_of_the_space() -> None:
    trials = search(NSGA2(), problem_of("score"), budget=70, seed=0)
    second = [trial.arch for trial in trials if trial.generation == 1]
    assert len(second) == 20
    assert second[:2] == [SPACE.full(), SPACE.smallest()]


def test_nsga2_prefers_any_feasible_member_and_then_the_smallest_violation() -> None:
    limit = Constraint("params", True, 6.0)
    problem = problem_of("score", "params", constraints=[limit])
    feasible = [arch for arch in MEMBERS if not problem.violations(arch)][:1]
    broken = sorted(
        (arch for arch in MEMBERS if problem.violations(arch)), key=lambda arch: SPACE.cost(arch)["params"]
    )
    near, far = broken[:1], broken[-30:]
    strategy = NSGA2(population=2, crossover=0, layer_probability=0, network_probability=0, children=40)
    # Without the constraint, no child is repaired, so each is a neighbour of its parent.
    free = problem_of("score", "params")
    archs = [*far, *near, *feasible]
    history = ranked([evaluated(arch, index, 1, problem) for index, arch in enumerate(archs)])
    children = strategy.ask(free, history, count=40, seed=0)
    around = {arch.key for parent in (*feasible, *near) for arch in SPACE.neighbours(parent)}
    assert len(children) > 10
    assert {child.key for child in children} <= around


def test_regularized_evolution_forgets_the_oldest_member_however_good_it_is() -> None:
    problem = problem_of("score")
    best = max(MEMBERS, key=score)
    others = [arch for arch in MEMBERS if arch not in SPACE.neighbours(best) and arch != best][:20]
    strategy = RegularizedEvolution(population=20, tournament=20, children=10)
    with_best = ranked([evaluated(arch, index, 0, problem) for index, arch in enumerate([*others[1:], best])])
    without = ranked([evaluated(arch, index, 0, problem) for index, arch in enumerate([best, *others])])
    around = {arch.key for arch in SPACE.neighbours(best)}
    assert all(arch.key in around for arch in strategy.ask(problem, with_best, count=10, seed=0))
    winner = max(others, key=lambda arch: (score(arch), -int(arch.key, 16)))
    children = strategy.ask(problem, without, count=10, seed=0)
    assert children
    assert all(child in SPACE.neighbours(winner) for child in children)


def test_local_search_tries_every_neighbour_of_a_local_optimum_and_starts_again() -> None:
    problem = problem_of("score")
    best = max(MEMBERS, key=score)
    around = SPACE.neighbours(best)
    strategy = LocalSearch(starts=7, children=10)
    trials = [evaluated(best, 0, 0, problem)]
    trials += [evaluated(arch, 1 + index, 1, problem) for index, arch in enumerate(around[:-3])]
    rest = strategy.ask(problem, ranked(trials), count=10, seed=0)
    assert {arch.key for arch in rest} == {arch.key for arch in around[-3:]}
    trials += [evaluated(arch, len(trials) + index, 2, problem) for index, arch in enumerate(rest)]
    restart = strategy.ask(problem, ranked(trials), count=10, seed=5)
    assert len(restart) == 7
    trials += [evaluated(arch, len(trials) + index, 3, problem) for index, arch in enumerate(restart)]
    # The next climb is around the best of the new beginning, although an older trial is better.
    place = max(restart, key=lambda arch: (score(arch), -int(arch.key, 16)))
    climb = strategy.ask(problem, ranked(trials), count=10, seed=6)
    assert climb
    assert all(arch in SPACE.neighbours(place) for arch in climb)


def test_local_search_leaves_out_neighbours_beyond_the_bounds() -> None:
    problem = problem_of("score", constraints=[Constraint("params", True, 20.0)])
    trials = search(LocalSearch(starts=10), problem, budget=150, seed=2)
    assert all(trial.is_scored for trial in trials)


@pytest.mark.parametrize("strategy", [NSGA2(), RegularizedEvolution()], ids=named)
def test_a_population_whose_children_are_all_known_goes_on_at_random(strategy: Strategy) -> None:
    problem = problem_of("score")
    best = max(MEMBERS, key=score)
    options = {**strategy.options(), "population": 2, "layer_probability": 0.0, "network_probability": 0.0}
    if "crossover" in options:
        options["crossover"] = 0.0
    lonely = type(strategy)(**options)
    known = [best, *SPACE.neighbours(best)]
    around = {arch.key: arch for parent in known for arch in SPACE.neighbours(parent)} | {
        a.key: a for a in known
    }
    archs = [arch for arch in around.values() if arch not in known] + known[1:] + [best]
    history = ranked([evaluated(arch, index, 1, problem) for index, arch in enumerate(archs)])
    found = lonely.ask(problem, history, count=10, seed=0)
    assert len(found) == 10
