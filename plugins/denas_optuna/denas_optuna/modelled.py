"""What strategies share whose sampler models the score, or each objective, as a function of the knobs."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Sequence

from denas_core import Objective, Problem, option

from .strategy import SampledStrategy, all_objectives, score_alone


@dataclasses.dataclass(kw_only=True)
class ModelledStrategy(SampledStrategy, ABC):
    """Random candidates, and then batches of those that a model of the finished trials proposes."""

    startup: int = option(40, "Random candidates before the sampler proposes", at_least=1, at_most=100_000)
    batch: int = option(10, "Candidates proposed before their results are known", at_least=1, at_most=100_000)
    front: bool = option(False, "Search for the front of all objectives, instead of the best score")

    @property
    def random_first(self) -> int:
        """The option `startup`."""
        return self.startup

    @property
    def together(self) -> int:
        """The option `batch`."""
        return self.batch

    def objectives(self, problem: Problem) -> Sequence[Objective]:
        """Return the score, or all objectives."""
        return all_objectives(problem) if self.front else score_alone()
