"""Who takes part in a race."""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path
from typing import Any

import pytest

from denas_core.contracts.problem import Problem
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.racing.entrants import Also, RankedRun, choose_entrants, describe, read_ranked_run
from denas_core.racing.largest import largest_within
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.testing.samples.spaces import SampleMLP
from denas_core.values.architecture import Architecture
from denas_core.values.objectives import Constraint
from denas_core.values.trial import Evaluation, Trial
from tests.core.toy_searches import toy_search


@pytest.fixture
def run(tmp_path: Path) -> RankedRun:
    """A run of 120 staircases."""
    toy_search(tmp_path / "run", constraints=["params<=200"])
    space: SearchSpace = Registry.discover().create("space", "toy/stairs")
    return read_ranked_run(tmp_path / "run", space, Registry.discover())


def scored(space: SearchSpace, count: int, problem: Problem) -> list[Trial]:
    """Return trials of random architectures within the budgets."""
    rng, trials = random.Random(0), []
    while len(trials) < count:
        arch = space.sample(rng)
        if not problem.violations(arch):
            evaluation = Evaluation(state="scored", metrics=problem.cost(arch))
            trials.append(Trial(index=len(trials), generation=0, arch=arch, evaluation=evaluation))
    return trials


def test_finalists_are_the_first_of_the_ranking_also_beyond_the_ten_with_a_file(run: RankedRun) -> None:
    entrants, notices = choose_entrants(run, 15, Also())
    assert [entrant.arch.key for entrant in entrants] == [trial.arch.key for trial in run.ranked[:15]]
    assert [entrant.rank for entrant in entrants] == list(range(1, 16))
    assert notices == [] and {entrant.kinds for entrant in entrants} == {("finalist",)}


def test_random_networks_come_from_the_first_generation_and_the_seed_alone_draws_them(
    run: RankedRun,
) -> None:
    first = {trial.arch.key for trial in run.trials if trial.generation == 0}
    drawn = [one for one in choose_entrants(run, 2, Also(random=20))[0] if "random" in one.kinds]
    assert len(drawn) == 20 and {one.arch.key for one in drawn} <= first
    again = [one for one in choose_entrants(run, 2, Also(random=20))[0] if "random" in one.kinds]
    assert [one.arch.key for one in again] == [one.arch.key for one in drawn]
    assert all(one.metrics["params"] <= 200 for one in drawn)


def test_a_network_of_two_kinds_takes_part_once_and_is_told(run: RankedRun) -> None:
    everything = len(run.ranked)
    entrants, notices = choose_entrants(run, everything, Also(random=1))
    assert len(entrants) == everything
    (both,) = [one for one in entrants if len(one.kinds) > 1]
    assert both.kinds == ("finalist", "random")
    assert notices == [
        f"finalist {both.rank} and a random network are the same network, which is trained once"
    ]
    assert describe(both.kinds, both.rank) == f"finalist {both.rank}, also a random network"


def test_fewer_networks_than_asked_for_are_one_notice_each(run: RankedRun) -> None:
    known = sum(trial.generation == 0 and trial.is_scored for trial in run.trials)
    entrants, notices = choose_entrants(run, 1000, Also(random=1000))
    assert len(entrants) == len(run.ranked)
    assert notices[:2] == [
        f"the run has only {len(run.ranked)} scored networks, so {len(run.ranked)} and not 1000 of its finalists take "
        "part",
        f"the run has only {known} random networks, so {known} and not 1000 take part",
    ]


def test_the_largest_network_is_the_full_one_if_that_keeps_the_budgets() -> None:
    space: SearchSpace = Registry.discover().create("space", "toy/stairs")
    problem = Problem(space)
    assert largest_within(scored(space, 3, problem), problem) == space.full()


def test_the_largest_network_within_a_budget_is_found_by_climbing() -> None:
    space: SearchSpace = Registry.discover().create("space", "toy/stairs")
    problem = Problem(space, [Constraint.parse("params<=203")])
    known = scored(space, 3, problem)
    largest = largest_within(known, problem)
    # Costs are multiples of 8, and every multiple up to the full network can be reached.
    assert problem.cost(largest)["params"] == 200
    assert largest == largest_within(known, problem)


def test_with_a_budget_on_latency_the_largest_network_is_one_that_the_run_has_measured() -> None:
    space: SearchSpace = Registry.discover().create("space", "toy/stairs")
    problem = Problem(space, [Constraint.parse("latency_ms<=5")])
    known = scored(space, 5, problem)
    largest = max(known, key=lambda trial: trial.evaluation.metrics["params"])
    assert largest_within(known, problem) == largest.arch


@dataclasses.dataclass(kw_only=True)
class Known(SampleMLP):
    """A space whose familiar network is its largest one."""

    def familiar(self, cost: Any) -> tuple[str, Architecture] | None:
        full = self.full()
        assert full is not None and cost["params"] > 0
        return "a pyramid", full


def test_the_familiar_network_takes_part_with_its_name_and_the_budget_that_it_breaks() -> None:
    space = Known().named("sample/known")
    full = space.full()
    assert full is not None
    most = space.cost(full)["params"] - 1
    problem = Problem(space, [Constraint.parse(f"params<={most:g}")])
    trials = scored(space, 4, problem)
    run = RankedRun(path=Path("run"), problem=problem, trials=trials, ranked=trials, seed=0)
    entrants, notices = choose_entrants(run, 2, Also(familiar=True))
    assert [one.kinds for one in entrants] == [("finalist",), ("finalist",), ("familiar",)]
    assert (entrants[-1].arch, entrants[-1].name, entrants[-1].rank) == (full, "a pyramid", None)
    assert describe(entrants[-1].kinds, None) == "the familiar network"
    (notice,) = notices
    assert notice.startswith("the familiar network is a pyramid with ") and "finalist 1 has " in notice
    assert "it breaks the budget params<=" in notice


def test_a_space_without_a_familiar_network_is_one_line(run: RankedRun) -> None:
    entrants, notices = choose_entrants(run, 2, Also(familiar=True))
    assert len(entrants) == 2
    (notice,) = notices
    assert re.fullmatch(
        r"space 'toy/stairs' has no familiar network of about the size of finalist 1 \(\d+ parameters\), so none takes "
        r"part",
        notice,
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "randm:2",
            "--also 'randm:2' is not random:NUMBER, such as random:2, largest or familiar; did you mean 'random'?",
        ),
        ("random:0", "--also 'random:0' is not random:NUMBER"),
        ("largest:2", "--also 'largest:2' is not random:NUMBER"),
        ("", "--also '' is not random:NUMBER"),
    ],
)
def test_an_unknown_kind_is_one_line(text: str, error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Also.parse([text])
    assert str(caught.value).startswith(error)


def test_kinds_are_read_and_written() -> None:
    also = Also.parse(["largest", "random:3", "largest"])
    assert also == Also(random=3, largest=True) == Also.parse(also.as_list())
    both = Also.parse(["familiar", "largest"])
    assert both == Also(largest=True, familiar=True) == Also.parse(both.as_list())
    assert Also.parse(["random"]) == Also(random=1) and Also.parse([]).as_list() == []


def test_the_trials_of_the_run_are_those_that_are_stored(run: RankedRun) -> None:
    with read_run(run.path) as store:
        assert [trial.arch.key for trial in store.trials()] == [trial.arch.key for trial in run.trials]
