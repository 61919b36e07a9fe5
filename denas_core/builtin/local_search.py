"""Local search (White et al. 2020): climb to the best neighbour until there is no better one, then start again."""

from __future__ import annotations

import dataclasses
import itertools

from denas_core.contracts.component import option
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy, propose_distinct, propose_random
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Trial


@dataclasses.dataclass(kw_only=True)
class LocalSearch(Strategy):
    """Proposes neighbours of the best architecture of a climb, which differ from it in one knob.

    A climb begins with `starts` random architectures, and its place is the best trial since then. Each generation has
    up to `children` new neighbours of that place in a random order. Once all feasible neighbours are known, the place
    is a local optimum, and the next climb begins (White et al. 2020, arXiv:2005.02960, algorithm 1).
    """

    starts: int = option(50, "Random architectures at the beginning of a climb", at_least=1, at_most=10_000)
    children: int = option(10, "Neighbours in each generation", at_least=1, at_most=10_000)

    @property
    def generation_size(self) -> int:
        """The number of proposals of the largest generation, which is the first of a climb or any other."""
        return max(self.starts, self.children)

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return neighbours of the place of the present climb, or the beginning of the next climb."""
        known = history.keys()
        around = _neighbours_of_place(problem, history)
        left = [arch for key, arch in around.items() if key not in known and not problem.violations(arch)]
        if not left:
            return propose_random(problem, history, count=min(count, self.starts), seed=seed)
        return propose_distinct(
            problem,
            history,
            count=min(count, self.children, len(left)),
            seed=seed,
            propose=lambda place, rng: rng.choice(left),
        )


def _neighbours_of_place(problem: Problem, history: History) -> dict[str, Architecture]:
    """Return the neighbours of the best trial of the present climb by key.

    Where climbs began follows from the trials alone: a generation that is not made of neighbours began one.
    """
    places = {trial.arch.key: place for place, trial in enumerate(history.ranked)}
    best: Trial | None = None
    around: dict[str, Architecture] = {}
    for _, group in itertools.groupby(history.trials, key=lambda trial: trial.generation):
        generation = list(group)
        if any(trial.arch.key not in around for trial in generation):
            best, around = None, {}
        alive = [trial for trial in generation if trial.evaluation.state != "failed"]
        found = min(alive, key=lambda trial: places[trial.arch.key], default=None)
        if found is not None and (best is None or places[found.arch.key] < places[best.arch.key]):
            best = found
            around = {arch.key: arch for arch in problem.space.neighbours(best.arch)}
    return around
