"""A strategy, which proposes the next architectures."""

from __future__ import annotations

import dataclasses
import random

from denas_core import Architecture, History, Problem, Strategy, option, propose_distinct


@dataclasses.dataclass(kw_only=True)
class HelloStrategy(Strategy):
    """Local search, which begins with random architectures and then mutates the best ones so far."""

    size: int = option(20, "Proposals of one generation", at_least=1, at_most=10_000)
    parents: int = option(5, "Number of best architectures that are mutated", at_least=1)

    @property
    def generation_size(self) -> int:
        """The number of proposals of one generation."""
        return self.size

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return up to `count` new architectures. All random numbers come from the argument of `propose`."""
        best = [trial.arch for trial in history.ranked[: self.parents]]

        def propose(place: int, rng: random.Random) -> Architecture:
            if not best:
                return problem.sample(rng)
            return problem.space.mutate(best[place % len(best)], rng)

        return propose_distinct(problem, history, count=count, seed=seed, propose=propose)
