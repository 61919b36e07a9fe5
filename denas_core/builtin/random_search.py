"""Random search."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from denas_core.contracts.component import option
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy, propose_random
from denas_core.values.architecture import Architecture


@dataclasses.dataclass(kw_only=True)
class RandomSearch(Strategy):
    """Draws every knob uniformly. It is the baseline for other strategies.

    As with every strategy, a proposal that does not meet a constraint is repaired. Proposals are therefore uniform only
    without constraints.
    """

    learns: ClassVar[bool] = False

    batch: int = option(50, "Proposals of one generation", at_least=1, at_most=100_000)

    @property
    def generation_size(self) -> int:
        """The number of proposals of one generation."""
        return self.batch

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return `count` new random architectures."""
        return propose_random(problem, history, count=count, seed=seed)
