"""NSGA-II (Deb et al. 2002) on the mutation and the crossover of the search space."""

from __future__ import annotations

import dataclasses
import random

from denas_core.contracts.component import option
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy
from denas_core.values.architecture import Architecture
from denas_core.values.fronts import objective_point, order_by_domination
from denas_core.values.objectives import SCORE, Objective

from .children import propose_children


@dataclasses.dataclass(kw_only=True)
class NSGA2(Strategy):
    """Evolves a population that approaches the Pareto front of all objectives of the search.

    The population is the best `population` trials of all finished generations: scored trials by non-dominated layer,
    and within a layer by crowding distance; then infeasible trials by their distance from the constraints (Deb et al.
    2002, doi:10.1109/4235.996017, sections III and VI). A parent is the better one of two random members. With one
    objective, the layers are the order of its values, and this is an evolution that keeps the best.

    The first generation is `first` random architectures, and every later one has `children` proposals. Two of the
    second generation are the largest and the smallest architecture of the space, if it knows them: mostly they are the
    ends of a front of score and size. A benchmark chose the defaults, see docs/strategies.md; the paper has a larger
    population, and mostly crosses two parents.
    """

    first: int = option(50, "Random architectures of the first generation", at_least=1, at_most=100_000)
    population: int = option(
        10, "Members of the population, which are the parents", at_least=2, at_most=10_000
    )
    children: int = option(20, "Proposals of each later generation", at_least=1, at_most=100_000)
    crossover: float = option(0.2, "Probability that a child has two parents", at_least=0, at_most=1)
    layer_probability: float = option(
        0.0,
        "Probability that mutation redraws a knob of one layer; if none changes, one knob does",
        at_least=0,
        at_most=1,
    )
    network_probability: float = option(
        0.0, "Probability that mutation redraws a knob of the whole network", at_least=0, at_most=1
    )
    score_share: float = option(
        0.5,
        "Share of the parents that are compared by the score alone, if it is an objective",
        at_least=0,
        at_most=1,
    )

    @property
    def generation_size(self) -> int:
        """The number of proposals of the largest generation, which is the first one or any other."""
        return max(self.first, self.children)

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return random architectures first, and then the children of the population."""
        scored = [trial for trial in history.ranked if trial.is_scored]
        objectives = problem.objectives or (Objective(SCORE),)
        score_share = self.score_share if any(axis.name == SCORE for axis in objectives) else 0.0
        points = [objective_point(trial, history.values, objectives) for trial in scored]
        ordered = order_by_domination(points, count=self.population)
        others = [trial.arch for trial in history.ranked if trial.evaluation.state == "infeasible"]
        by_front = ([scored[index].arch for index, _, _ in ordered] + others)[: self.population]
        by_score = ([trial.arch for trial in scored] + others)[: self.population]

        def parent(rng: random.Random) -> Architecture:
            members = by_score if rng.random() < score_share else by_front
            # Members are in order, so the smaller place is the better one of two.
            return members[min(rng.randrange(len(members)), rng.randrange(len(members)))]

        is_second = bool(history.trials) and history.trials[-1].generation == 0
        ends = [problem.space.smallest(), problem.space.full()] if is_second else []

        def breed(rng: random.Random) -> Architecture:
            while ends:
                if (end := ends.pop()) is not None:
                    return end
            child = parent(rng)
            if rng.random() < self.crossover:
                child = problem.space.crossover(child, parent(rng), rng)
            return problem.space.mutate(
                child,
                rng,
                layer_probability=self.layer_probability,
                network_probability=self.network_probability,
            )

        return propose_children(
            problem,
            history,
            count=count,
            seed=seed,
            children=self.children,
            breed=breed if by_score else None,
        )
