"""Regularized evolution (Real et al. 2019): the population loses its oldest members, and not its worst."""

from __future__ import annotations

import dataclasses
import random

from denas_core.contracts.component import option
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy
from denas_core.values.architecture import Architecture

from .children import propose_children


@dataclasses.dataclass(kw_only=True)
class RegularizedEvolution(Strategy):
    """Mutates the winners of tournaments in a population that consists of the latest trials.

    The population is the last `population` trials that did not fail, in the order in which they were proposed: each
    new trial displaces the oldest one, however good that is (Real et al. 2019, arXiv:1802.01548, algorithm 1). A parent
    is the best of `tournament` random members: a feasible one by its score, or else the one nearest to the constraints.
    Children of one generation do not see each other; with `children` 1 this is the original algorithm.

    The first generation is `population` random architectures; every later one has `children` proposals.
    """

    population: int = option(
        50, "Random architectures of the first generation, and parents", at_least=1, at_most=10_000
    )
    children: int = option(10, "Proposals of each later generation", at_least=1, at_most=10_000)
    tournament: int = option(
        10, "Members of the population of which the best is a parent", at_least=1, at_most=10_000
    )
    layer_probability: float = option(
        0.0, "Probability that mutation redraws a knob of one layer", at_least=0, at_most=1
    )
    network_probability: float = option(
        0.0, "Probability that mutation redraws a knob of the whole network", at_least=0, at_most=1
    )

    @property
    def generation_size(self) -> int:
        """The number of proposals of the largest generation, which is the first one or any other."""
        return max(self.population, self.children)

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return random architectures first, and then mutations of the winners of tournaments."""
        places = {trial.arch.key: place for place, trial in enumerate(history.ranked)}
        alive = [trial.arch for trial in history.trials if trial.evaluation.state != "failed"]
        alive = alive[-self.population :]

        def breed(rng: random.Random) -> Architecture:
            members = rng.sample(alive, min(self.tournament, len(alive)))
            return problem.space.mutate(
                min(members, key=lambda arch: places[arch.key]),
                rng,
                layer_probability=self.layer_probability,
                network_probability=self.network_probability,
            )

        return propose_children(
            problem, history, count=count, seed=seed, children=self.children, breed=breed if alive else None
        )
