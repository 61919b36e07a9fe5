from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from denas_core.builtin.evolution import Evolution
from denas_core.builtin.random_search import RandomSearch
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import ATTEMPTS, History, propose_distinct
from denas_core.errors import ConfigError
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, State, Trial
from tests.core.conditional_space import Conditional, all_members

SPACE = Conditional(deepest=4)
PROBLEM = Problem(SPACE)
MEMBERS = list(all_members(SPACE).values())


REASONS = {"scored": "", "infeasible": "too large", "failed": "crashed"}


def history_of(archs: Sequence[Architecture], states: Sequence[State] = ()) -> History:
    """Return a history whose ranking is the order of `archs`."""
    states = states or ["scored"] * len(archs)
    trials = [
        Trial(
            index=i,
            generation=0,
            arch=arch,
            evaluation=Evaluation(state=state, reason="" if state == "scored" else "x"),
        )
        for i, (arch, state) in enumerate(zip(archs, states, strict=True))
    ]
    return History(trials=trials, ranked=trials)


def test_the_first_proposals_do_not_depend_on_how_many_are_wanted() -> None:
    few, many = (RandomSearch().ask(PROBLEM, History(), count=count, seed=3) for count in (5, 30))
    assert many[:5] == few


def test_a_place_is_given_up_after_so_many_draws_and_the_others_are_filled() -> None:
    draws: list[int] = []

    def propose(place: int, rng: random.Random) -> Architecture:
        draws.append(place)
        return MEMBERS[0] if place in (0, 1) else MEMBERS[place]

    proposals = propose_distinct(PROBLEM, History(), count=4, seed=0, propose=propose)
    assert proposals == [MEMBERS[0], MEMBERS[2], MEMBERS[3]]
    assert draws == [0, *[1] * ATTEMPTS, 2, 3]


def test_a_generation_is_as_large_as_the_options_say() -> None:
    assert RandomSearch(batch=7).generation_size == 7
    assert Evolution().generation_size == 100
    assert Evolution(population=1, mutations=2, crossovers=4).generation_size == 7


def test_evolution_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        Evolution(population=0, mutations=0, crossovers=0)
    assert str(caught.value) == (
        "strategy evolution proposes nothing, because population, mutations and crossovers are all 0; set one of them"
    )


def test_the_first_generation_of_evolution_is_what_random_search_proposes() -> None:
    evolution = Evolution(population=3, mutations=10, crossovers=10)
    first = evolution.ask(PROBLEM, History(), count=23, seed=5)
    assert first == RandomSearch().ask(PROBLEM, History(), count=23, seed=5)


WIDTHS = ("width1", "width2", "width3", "width4")
# Two parents that differ in their widths alone.
PARENTS = [
    SPACE.architecture(
        {"depth": 4, "mixer": "conv", "kernel": 5, "dilation": 1, **dict.fromkeys(WIDTHS, width)}
    )
    for width in (8, 32)
]


def test_a_generation_is_random_ones_then_mutations_then_crossovers_of_the_elite() -> None:
    evolution = Evolution(
        population=10, mutations=10, crossovers=6, select=2, layer_probability=0, network_probability=0
    )
    others = [arch for arch in MEMBERS if arch not in PARENTS][:50]
    history = history_of([*PARENTS, *others])
    proposals = evolution.ask(PROBLEM, history, count=26, seed=11)
    assert len(proposals) == 26
    assert proposals[:10] == RandomSearch().ask(PROBLEM, history, count=10, seed=11)
    for child in proposals[10:20]:
        assert any(child in SPACE.neighbours(parent) for parent in PARENTS)
    for child in proposals[20:]:
        assert {child[name] for name in WIDTHS} == {8, 32}
        assert child.as_dict().items() >= {"depth": 4, "mixer": "conv", "kernel": 5, "dilation": 1}.items()


def test_the_elite_is_the_best_of_the_ranking_without_failed_trials() -> None:
    evolution = Evolution(
        population=0, mutations=8, crossovers=0, select=2, layer_probability=0, network_probability=0
    )
    best, nearest, failed, beyond = SPACE.smallest(), PARENTS[0], PARENTS[1], SPACE.full()
    history = history_of([failed, best, nearest, beyond], ["failed", "scored", "infeasible", "infeasible"])
    children = evolution.ask(PROBLEM, history, count=8, seed=2)
    parents = {parent.key: parent for parent in (best, nearest)}
    origins = [
        [key for key, parent in parents.items() if child in SPACE.neighbours(parent)] for child in children
    ]
    assert all(origins)
    assert {key for found in origins for key in found} == set(parents)


def test_an_elite_of_one_crosses_with_random_architectures() -> None:
    evolution = Evolution(population=0, mutations=0, crossovers=12, select=1)
    children = evolution.ask(PROBLEM, history_of([SPACE.full()]), count=12, seed=0)
    assert len(children) == 12
    assert SPACE.full() not in children


def test_while_every_trial_failed_evolution_is_random() -> None:
    evolution = Evolution(population=0, mutations=3, crossovers=3)
    history = history_of(MEMBERS[:5], ["failed"] * 5)
    expected = RandomSearch().ask(PROBLEM, history, count=6, seed=4)
    assert evolution.ask(PROBLEM, history, count=6, seed=4) == expected
