"""Searches for tests: a simple objective on a space without networks, whose knobs depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from denas_core import (
    Architecture,
    Constraint,
    Evaluation,
    History,
    Objective,
    Problem,
    Strategy,
    Trial,
    derive_seed,
)
from denas_core.testing.samples.knobs import Conditional

SCORE_AND_PARAMS = (Objective("score"), Objective("params"))
Evaluate = Callable[[Architecture], Evaluation]


def conditional(deepest: int = 6) -> Conditional:
    """Return a space of up to `deepest` layers."""
    return Conditional(deepest=deepest).named("sample/conditional")


def evaluate(arch: Architecture) -> Evaluation:
    """Score an architecture by how many of its knobs have the last but one value, less the others: a peak inside."""
    knobs = {knob.name: knob.values for knob in conditional(16).knobs()}
    depth = int(arch["depth"])
    hits = [value == knobs[name][-2] for name, value in arch.values.items() if name != "depth"]
    score = sum(1.0 if hit else -1.0 for hit in hits) - abs(depth - 5)
    return Evaluation(state="scored", components={"value": score}, metrics=conditional().cost(arch))


def history_of(trials: Sequence[Trial]) -> History:
    """Return the history of a search whose combined score is its only component."""
    scored = [trial for trial in trials if trial.is_scored]
    values = {trial.arch.key: trial.evaluation.components["value"] for trial in scored}
    ranked = sorted(scored, key=lambda trial: -values[trial.arch.key])
    return History(trials=trials, ranked=[*ranked, *(t for t in trials if not t.is_scored)], values=values)


def ask(
    strategy: Strategy, problem: Problem, trials: Sequence[Trial], *, seed: int = 0
) -> list[Architecture]:
    """Return the next generation after `trials`."""
    generation = trials[-1].generation + 1 if trials else 0
    return strategy.ask(
        problem,
        history_of(trials),
        count=strategy.generation_size,
        seed=derive_seed(seed, "generation", generation),
    )


def search(
    strategy: Strategy,
    count: int,
    *,
    seed: int = 0,
    evaluate: Evaluate = evaluate,
    constraints: Sequence[Constraint] = (),
    objectives: Sequence[Objective] = SCORE_AND_PARAMS,
) -> list[Trial]:
    """Return the first `count` trials of a search."""
    problem, trials = Problem(conditional(), constraints, objectives), list[Trial]()
    while len(trials) < count:
        generation = trials[-1].generation + 1 if trials else 0
        for arch in ask(strategy, problem, trials, seed=seed):
            trials.append(
                Trial(index=len(trials), generation=generation, arch=arch, evaluation=evaluate(arch))
            )
    return trials[:count]


def best(trials: Sequence[Trial]) -> float:
    """Return the best score."""
    return max(trial.evaluation.components["value"] for trial in trials if trial.is_scored)
