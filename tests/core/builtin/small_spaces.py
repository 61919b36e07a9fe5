"""A small space with a known front, and searches of it through the contract of strategies."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from denas_core import Architecture, Constraint, Knob, Objective, Strategy, derive_seed
from denas_core.contracts.knob_space import KnobSpace
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History
from denas_core.values.ranking import pareto_front
from denas_core.values.trial import Evaluation, Trial
from tests.core.conditional_space import all_members

KNOBS = 6
CHOICES = (0, 1, 2, 3)


@dataclasses.dataclass(kw_only=True)
class Grid(KnobSpace):
    """4,096 architectures of six numbers. Its `cost` is what `SearchSpace` would count."""

    def knobs(self) -> tuple[Knob, ...]:
        """Return six knobs of four values."""
        return tuple(Knob(f"k{place}", CHOICES, layer=place) for place in range(KNOBS))

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the weighted sum of the values: few architectures have the best score for their size."""
        return {"params": float(sum((place + 1) * int(arch[f"k{place}"]) for place in range(KNOBS)))}


SPACE = Grid().named("test/grid")


def score(arch: Architecture) -> float:
    """Return a score whose knobs interact: a value is worth more if its neighbour is equal to it."""
    values = [int(arch[f"k{place}"]) for place in range(KNOBS)]
    equal = sum(a == b for a, b in itertools.pairwise(values))
    return sum(value**0.5 for value in values) + 0.3 * equal


def true_front() -> set[tuple[float, float]]:
    """Return the points of the front of score and size, by brute force."""
    points = [(-score(arch), SPACE.cost(arch)["params"]) for arch in all_members(SPACE).values()]  # type: ignore[arg-type]
    return {points[place] for place in pareto_front(points)}


def ranked(trials: Sequence[Trial]) -> History:
    """Return the history of trials whose score is their component."""
    values = {t.arch.key: t.evaluation.components["score"] for t in trials if t.is_scored}
    places = {"scored": 0, "infeasible": 1, "failed": 2}

    def order(trial: Trial) -> tuple[int, float, str]:
        merit = -values[trial.arch.key] if trial.is_scored else trial.evaluation.violation
        return places[trial.evaluation.state], merit, trial.arch.key

    return History(trials=list(trials), ranked=sorted(trials, key=order), values=values)


def evaluated(arch: Architecture, index: int, generation: int, problem: Problem) -> Trial:
    """Return the trial of an architecture."""
    broken = problem.violations(arch)
    metrics = dict(problem.cost(arch))
    evaluation = (
        Evaluation(state="infeasible", reason="too large", metrics=metrics, violation=sum(broken.values()))
        if broken
        else Evaluation(state="scored", components={"score": score(arch)}, metrics=metrics)
    )
    return Trial(index=index, generation=generation, arch=arch, evaluation=evaluation)


def problem_of(*objectives: str, constraints: Sequence[Constraint] = ()) -> Problem:
    """Return the problem with these objectives."""
    return Problem(SPACE, constraints, [Objective.parse(text) for text in objectives])  # type: ignore[arg-type]


def search(strategy: Strategy, problem: Problem, *, budget: int, seed: int) -> list[Trial]:
    """Return the trials of a search, as the search loop would make them."""
    trials: list[Trial] = []
    generation = 0
    while len(trials) < budget:
        proposals = strategy.ask(
            problem,
            ranked(trials),
            count=strategy.generation_size,
            seed=derive_seed(seed, "generation", generation),
        )
        assert proposals, "the space is not exhausted"
        for arch in proposals:
            trials.append(evaluated(arch, len(trials), generation, problem))
        generation += 1
    return trials[:budget]


def share_of_front(trials: Sequence[Trial], front: set[tuple[float, float]]) -> float:
    """Return the share of the true front that was found."""
    found = {
        (-t.evaluation.components["score"], t.evaluation.metrics["params"]) for t in trials if t.is_scored
    }
    return len(front & found) / len(front)
