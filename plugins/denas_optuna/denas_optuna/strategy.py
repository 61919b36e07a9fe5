"""What the strategies of this plugin share: a study that is rebuilt from the history for each generation."""

from __future__ import annotations

import collections
import dataclasses
import random
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core import (
    Architecture,
    History,
    Objective,
    Problem,
    Strategy,
    derive_seed,
    propose_distinct,
    silent_libraries,
)

from .parameters import Parameters
from .replay import SCORE, replayed

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler

ASKS = 2
"""Proposals of the sampler that are tried for one place; then known architectures are mutated into new ones."""

ENOUGH = 10
"""Complete trials from which on a sampler models them, as in Optuna."""


@dataclasses.dataclass(kw_only=True)
class SampledStrategy(Strategy):
    """A strategy whose proposals come from a sampler of Optuna.

    The study is in memory. It is made anew for each generation from all finished trials, and its sampler is seeded from
    the seed of the generation. So a resumed search proposes the same, and scores that are ranks may change.
    """

    fills_inactive: ClassVar[bool] = False
    """Whether inactive knobs have a value, for samplers that model only the parameters which all trials have."""

    @property
    @abstractmethod
    def random_first(self) -> int:
        """Number of random candidates before the sampler proposes any."""

    @property
    @abstractmethod
    def together(self) -> int:
        """Number of candidates that the sampler proposes before it learns from them."""

    @abstractmethod
    def objectives(self, problem: Problem) -> Sequence[Objective]:
        """Return the objectives of the study."""

    @abstractmethod
    def sampler(self, problem: Problem, history: History, *, seed: int) -> BaseSampler:
        """Return the sampler for one generation."""

    def ready(self, sampler: BaseSampler, study: Study, history: History) -> None:
        """Prepare the sampler when all finished trials are in the study."""

    @property
    def generation_size(self) -> int:
        """The number of proposals of the first generation; later ones have `together`, if that is less."""
        return max(self.random_first, self.together)

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return random candidates at first, and then those that the sampler proposes."""
        missing = self.random_first - len(history.trials)
        if missing > 0:
            return propose_distinct(
                problem,
                history,
                count=min(count, missing),
                seed=seed,
                propose=lambda place, rng: problem.sample(rng),
            )
        # Optuna sets the level of its log when it is imported.
        import optuna  # noqa: F401

        with silent_libraries("optuna"):
            return self._ask(problem, history, count=min(count, self.together), seed=seed)

    def _ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        import optuna
        from optuna.trial import TrialState, create_trial

        space, objectives = problem.space, self.objectives(problem)
        parameters = Parameters(space.knobs(), fills_inactive=self.fills_inactive)
        # Generators of NumPy take seeds of 32 bits.
        sampler = self.sampler(problem, history, seed=derive_seed(seed, "optuna") % 2**32)
        study = optuna.create_study(directions=[each.direction for each in objectives], sampler=sampler)
        study.add_trials(replayed(problem, history, objectives, parameters))
        self.ready(sampler, study, history)
        latest: dict[int, Architecture] = {}
        asks: collections.Counter[int] = collections.Counter()

        def propose(place: int, rng: random.Random) -> Architecture:
            asks[place] += 1
            if asks[place] > ASKS:
                return space.mutate(latest[place], rng)
            trial = study.ask()
            arch = problem.repair(space.architecture(parameters.suggest(trial), origin=self.id), rng)
            # The study gets the architecture as it is evaluated, which a repair may have changed. While it runs, the
            # sampler keeps away from it.
            study.tell(trial, state=TrialState.FAIL)
            params, distributions = parameters.of(arch.values)
            study.add_trial(
                create_trial(state=TrialState.RUNNING, params=params, distributions=distributions)
            )
            latest[place] = arch
            return arch

        return propose_distinct(problem, history, count=count, seed=seed, propose=propose)


def score_alone() -> tuple[Objective, ...]:
    """Return the objective of a search for the best score."""
    return (Objective(SCORE),)


def all_objectives(problem: Problem) -> tuple[Objective, ...]:
    """Return the objectives of a search for a front; the score where the problem names none."""
    return problem.objectives or score_alone()
