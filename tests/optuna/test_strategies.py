"""What the strategies find, what the samplers get, and that a resumed search proposes the same."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import warnings

import optuna
import pytest

from denas_core import Constraint, Evaluation, Problem, Strategy, Trial
from denas_core.builtin import RandomSearch
from denas_core.errors import NotInstalled
from denas_core.testing.samples.knobs import Conditional
from denas_optuna.gp import GaussianProcess
from denas_optuna.nsga2 import NSGA2
from denas_optuna.parameters import Parameters
from denas_optuna.replay import VIOLATION, replayed
from denas_optuna.tpe import TPE

from .searches import SCORE_AND_PARAMS, ask, best, conditional, evaluate, history_of, search

FRONT = TPE(startup=8, batch=4, front=True)


def hypervolume(trials: list[Trial]) -> float:
    """Return the area below the front of score and parameters, by scanning the parameters in steps of one."""
    best_within = [-20.0] * 300
    for trial in trials:
        score, params = trial.evaluation.components["value"], int(trial.evaluation.metrics["params"])
        best_within[params:] = [max(score, old) for old in best_within[params:]]
    return sum(value + 20 for value in best_within)


@pytest.mark.parametrize(
    ("strategy", "count"),
    [(TPE(startup=10, batch=5), 60), (GaussianProcess(startup=10, batch=4), 22), (NSGA2(population=10), 100)],
    ids=lambda value: type(value).__name__,
)
def test_the_best_score_is_better_than_that_of_random_search(strategy: Strategy, count: int) -> None:
    # A Gaussian process takes a second for each proposal.
    seeds = range(1 if isinstance(strategy, GaussianProcess) else 3)
    objectives = SCORE_AND_PARAMS[:1]
    found = sum(best(search(strategy, count, seed=seed, objectives=objectives)) for seed in seeds)
    random = sum(best(search(RandomSearch(batch=10), count, seed=seed)) for seed in seeds)
    assert found >= random + 2 * len(seeds)


@pytest.mark.parametrize("strategy", [FRONT, NSGA2(population=10)], ids=lambda value: type(value).__name__)
def test_the_front_of_two_objectives_is_better_than_that_of_random_search(strategy: Strategy) -> None:
    found = sum(hypervolume(search(strategy, 80, seed=seed)) for seed in range(2))
    random = sum(hypervolume(search(RandomSearch(batch=10), 80, seed=seed)) for seed in range(2))
    assert found > 1.02 * random


@pytest.mark.parametrize(
    "strategy",
    [TPE(startup=6, batch=4), FRONT, GaussianProcess(startup=6, batch=2), NSGA2(population=6)],
    ids=lambda value: type(value).__name__,
)
def test_a_search_that_is_resumed_proposes_the_same(strategy: Strategy) -> None:
    count = 9 if isinstance(strategy, GaussianProcess) else 16
    trials = search(strategy, count)
    whole = [trial.arch.key for trial in trials]
    closed = [trial for trial in trials if trial.generation < trials[-1].generation]
    again = type(strategy)(**strategy.options())
    proposals = ask(again, Problem(conditional(), (), SCORE_AND_PARAMS), closed)
    assert [arch.key for arch in proposals][: count - len(closed)] == whole[len(closed) :]


def test_proposals_do_not_depend_on_the_order_of_sets() -> None:
    code = (
        "from tests.optuna.searches import search; from denas_optuna.tpe import TPE; "
        "print([t.arch.key for t in search(TPE(startup=10, batch=5), 20)])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1 and b"[" in seen.pop()


def test_only_active_knobs_are_parameters_and_numbers_are_places() -> None:
    space = Conditional(deepest=2)
    arch = space.architecture({"depth": 1, "mixer": "pool", "width1": 32})
    params, distributions = Parameters(space.knobs()).of(arch.values)
    assert params == {"depth": 0, "mixer": "pool", "width1": 2}
    assert distributions["width1"] == optuna.distributions.IntDistribution(0, 2)
    assert distributions["mixer"] == optuna.distributions.CategoricalDistribution(("pool", "conv"))
    filled, _ = Parameters(space.knobs(), fills_inactive=True).of(arch.values)
    assert filled == {**params, "kernel": 1, "dilation": 1, "width2": 1}
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask(
        {"mixer": optuna.distributions.CategoricalDistribution(("pool", "conv"))}
    )
    values = Parameters(space.knobs()).suggest(trial)
    assert space.architecture(values).as_dict() == values
    assert set(trial.params) == set(values)


def test_trials_are_replayed_with_their_state_and_distance_from_the_bounds() -> None:
    space = conditional()
    bound = Constraint("params", True, 50)
    archs = [space.architecture({"depth": 1, "mixer": "pool", "width1": width}) for width in (8, 16, 32)]
    results = [
        Evaluation(state="scored", components={"value": 3.0}, metrics={"params": 25}),
        Evaluation(state="infeasible", reason="too large", metrics={"params": 75}, violation=0.5),
        Evaluation(state="failed", reason="it fails"),
        Evaluation(state="cut", reason="not good enough", metrics={"params": 25}),
    ]
    archs.append(space.architecture({"depth": 1, "mixer": "conv", "width1": 8, "kernel": 3}))
    trials = [
        Trial(index=index, generation=0, arch=arch, evaluation=result)
        for index, (arch, result) in enumerate(zip(archs, results, strict=True))
    ]
    problem = Problem(space, [bound], SCORE_AND_PARAMS)
    parameters = Parameters(space.knobs())
    found = list(replayed(problem, history_of(trials), SCORE_AND_PARAMS, parameters))
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE", "FAIL", "FAIL"]
    # The score of the infeasible one is unknown: it gets that of the middle.
    assert [trial.values for trial in found] == [[3.0, 25.0], [3.0, 75.0], None, None]
    assert [trial.constraints for trial in found] == [{VIOLATION: -0.5}, {VIOLATION: 0.5}, {}, {}]
    without = [trials[0], trials[2]]
    assert not any(
        trial.constraints for trial in replayed(problem, history_of(without), SCORE_AND_PARAMS, parameters)
    )


@pytest.mark.parametrize(
    "strategy",
    [TPE(startup=40), GaussianProcess(startup=40), NSGA2(population=40)],
    ids=lambda value: type(value).__name__,
)
def test_the_first_candidates_are_drawn_from_the_whole_feasible_region(strategy: Strategy) -> None:
    space = conditional()
    draws = [space.sample(random.Random(seed)) for seed in range(400)]
    costs = sorted(space.cost(arch)["params"] for arch in draws)
    bound = costs[len(costs) // 4]
    problem = Problem(space, [Constraint("params", True, bound)], SCORE_AND_PARAMS)
    found = ask(strategy, problem, [])
    assert [arch.key for arch in found] == [arch.key for arch in ask(RandomSearch(batch=40), problem, [])]
    # A quarter of the architectures meet the bound. The others, if they were repaired, would all lie just below it.
    within = [cost for cost in costs if cost <= bound]
    below = sum(space.cost(arch)["params"] <= within[len(within) // 2] for arch in found)
    assert below >= len(found) // 4


@pytest.mark.parametrize("strategy", [TPE(startup=8, batch=8), NSGA2(population=8)], ids=["TPE", "NSGA2"])
def test_samplers_leave_the_infeasible_region(strategy: Strategy) -> None:
    def measured(arch) -> Evaluation:  # type: ignore[no-untyped-def]
        # A bound on what is measured cannot be repaired: a wide first layer is too slow.
        excess = int(arch["width1"]) / 8 - 1
        if excess > 0:
            return Evaluation(state="infeasible", reason="slow", metrics={"params": 1}, violation=excess)
        return evaluate(arch)

    def feasible(strategy: Strategy) -> int:
        runs = [
            search(strategy, 56, seed=seed, evaluate=measured, objectives=SCORE_AND_PARAMS[:1])
            for seed in range(3)
        ]
        return sum(trial.is_scored for trials in runs for trial in trials[32:])

    assert feasible(strategy) >= 1.5 * feasible(RandomSearch(batch=8))


def test_parents_come_from_all_generations_also_where_trials_failed() -> None:
    def sometimes(arch) -> Evaluation:  # type: ignore[no-untyped-def]
        is_failed = int(arch.key, 16) % 4 == 0
        return Evaluation(state="failed", reason="it fails") if is_failed else evaluate(arch)

    trials = search(NSGA2(population=8), 16, evaluate=sometimes)
    failed = sum(trial.evaluation.state == "failed" for trial in trials[:8])
    assert failed
    seen: dict[str, set[object]] = {}
    for trial in trials[:8]:
        for name, value in trial.arch.values.items():
            seen.setdefault(name, set()).add(value)
    # If Optuna took the second generation for the rest of the first, it would be random.
    random = search(RandomSearch(batch=8), 16, evaluate=sometimes)
    assert [t.arch.key for t in trials[8:]] != [t.arch.key for t in random[8:]]
    known = [
        sum(v in seen.get(n, ()) for n, v in t.arch.values.items()) / len(t.arch.values) for t in trials[8:]
    ]
    assert sum(known) / len(known) > 0.8


def test_optuna_stays_silent_and_its_log_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    level = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(TPE(startup=4, batch=2), 6)
    assert capsys.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == level
    assert logging.getLogger("optuna").level == level


def test_a_missing_library_is_named_before_the_search_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "scipy" else object())
    with pytest.raises(
        NotInstalled, match=r"^strategy 'optuna/gp' needs scipy: pip install 'denas-optuna\[gp\]'$"
    ):
        GaussianProcess()
