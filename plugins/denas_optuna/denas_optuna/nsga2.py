"""The strategy ``optuna/nsga2``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core import History, Objective, Problem, option

from .strategy import SampledStrategy, all_objectives

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclasses.dataclass(kw_only=True)
class NSGA2(SampledStrategy):
    """NSGA-II (Deb et al. 2002, doi:10.1109/4235.996017) as Optuna has it, for the front of all objectives.

    Each generation comes from the best of all earlier ones: those that no other dominates come first, and among equals
    those with most room around them. Infeasible trials come after all others, by their violation. A knob that is not
    active counts as its middle value when two parents are crossed.
    """

    fills_inactive: ClassVar[bool] = True

    population: int = option(
        50, "Candidates of a generation, and parents of the next", at_least=2, at_most=100_000
    )
    crossover: float = option(0.9, "Probability that a candidate has two parents", at_least=0, at_most=1)
    swap: float = option(0.5, "Probability that two parents swap a knob", at_least=0, at_most=1)

    @property
    def random_first(self) -> int:
        """The first generation is random."""
        return self.population

    @property
    def together(self) -> int:
        """The option `population`."""
        return self.population

    def objectives(self, problem: Problem) -> Sequence[Objective]:
        """Return all objectives."""
        return all_objectives(problem)

    def sampler(self, problem: Problem, history: History, *, seed: int) -> BaseSampler:
        """Return Optuna's sampler, whose parents are chosen from the generations of the search."""
        from .generations import GenerationsSampler

        return GenerationsSampler(
            [trial.generation for trial in history.trials],
            population_size=self.population,
            crossover_prob=self.crossover,
            swapping_prob=self.swap,
            seed=seed,
        )
