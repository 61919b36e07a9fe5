"""The evolution of the original DE-NAS, but with parents from the elite and a crossover of two parents."""

from __future__ import annotations

import dataclasses
import random

from denas_core.contracts.component import option
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy, propose_distinct
from denas_core.errors import ConfigError
from denas_core.values.architecture import Architecture


@dataclasses.dataclass(kw_only=True)
class Evolution(Strategy):
    """Each generation has new random architectures, mutations of the elite, and crossovers of two of its members.

    The elite is the best `select` trials of all finished generations: feasible trials by score, then the others by
    their distance from the constraints. Without an elite, every proposal is random. If fewer proposals are requested
    than a generation has, each kind of proposal and the elite become smaller in proportion.
    """

    population: int = option(50, "New random architectures of a generation", at_least=0, at_most=100_000)
    mutations: int = option(25, "Mutated elite architectures of a generation", at_least=0, at_most=100_000)
    crossovers: int = option(
        25, "Crossovers of two elite architectures of a generation", at_least=0, at_most=100_000
    )
    select: int = option(50, "Size of the elite", at_least=1, at_most=100_000)
    layer_probability: float = option(
        0.2, "Probability that mutation redraws a knob of one layer", at_least=0, at_most=1
    )
    network_probability: float = option(
        0.4, "Probability that mutation redraws a knob of the whole network", at_least=0, at_most=1
    )

    def __post_init__(self) -> None:
        if self.generation_size == 0:
            raise ConfigError(
                "strategy evolution proposes nothing, because population, mutations and crossovers are all 0; set one "
                "of them"
            )

    @property
    def generation_size(self) -> int:
        """The number of proposals of one generation."""
        return self.population + self.mutations + self.crossovers

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return the next generation: random ones first, then mutations, then crossovers."""
        space = problem.space
        share = min(count / self.generation_size, 1.0)
        random_end = round(self.population * share)
        mutation_end = round((self.population + self.mutations) * share)
        # A crossover needs two parents.
        select = max(round(self.select * share), min(self.select, 2))
        elite = [trial.arch for trial in history.ranked if trial.evaluation.state != "failed"][:select]

        def propose(place: int, rng: random.Random) -> Architecture:
            if place < random_end or not elite:
                return problem.sample(rng)
            if place < mutation_end:
                return space.mutate(
                    rng.choice(elite),
                    rng,
                    layer_probability=self.layer_probability,
                    network_probability=self.network_probability,
                )
            first = rng.choice(elite)
            # A crossover of an architecture with itself would be a copy.
            others = [arch for arch in elite if arch != first] or [problem.sample(rng)]
            return space.crossover(first, rng.choice(others), rng)

        return propose_distinct(problem, history, count=count, seed=seed, propose=propose)
