"""A strategy that breaks each promise of a strategy, by the name of the check that must notice."""

from __future__ import annotations

import itertools
import random
from typing import Any

from denas_core import Architecture
from denas_core.builtin.random_search import RandomSearch
from denas_core.seeding import derive_rng

_counter = itertools.count()


class Nothing(RandomSearch):
    @property
    def generation_size(self) -> int:
        return 0


class OffGrid(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        found = super().ask(problem, history, count=count, seed=seed)
        return [problem.space.unchecked({**arch.as_dict(), "width1": 9}) for arch in found]


class TooMany(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        return super().ask(problem, history, count=count + 1, seed=seed)


class Doubled(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        found = super().ask(problem, history, count=count, seed=seed)
        return [*found[:-1], *found[:1]]


class Forgetful(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        known = [trial.arch for trial in history.trials[:2]]
        return [*known, *super().ask(problem, history, count=count, seed=seed)][:count]


class Counting(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        self.__dict__["asked"] = asked = self.__dict__.get("asked", 0) + 1
        return super().ask(problem, history, count=count, seed=seed + asked)


class Memorising(RandomSearch):
    """Keeps a seed of its own, which another strategy with the same options does not have."""

    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        own = self.__dict__.setdefault("own", next(_counter))
        return super().ask(problem, history, count=count, seed=seed + own)


class OneSeed(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        return super().ask(problem, history, count=count, seed=0)


class NeverTired(RandomSearch):
    """Fills up with what is known already."""

    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        rng = derive_rng(seed, "never tired")
        found = super().ask(problem, history, count=count, seed=seed)
        return [*found, *(problem.space.sample(rng) for _ in range(count - len(found)))]


class NeedsScores(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        if history.trials:
            max(history.values.values())
        return super().ask(problem, history, count=count, seed=seed)


class Unconstrained(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        rng = random.Random(seed)
        drawn = {arch.key: arch for arch in (problem.space.sample(rng) for _ in range(20 * count))}
        known = history.keys()
        return [arch for key, arch in drawn.items() if key not in known][:count]


class Sorting(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        history.trials.reverse()
        return super().ask(problem, history, count=count, seed=seed)


class FromTheFull(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        problem.space.full().as_dict()
        return super().ask(problem, history, count=count, seed=seed)


class Reseeding(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        random.seed(seed)
        return super().ask(problem, history, count=count, seed=seed)


class Chatty(RandomSearch):
    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Architecture]:
        print("asking")
        return super().ask(problem, history, count=count, seed=seed)


BROKEN: dict[str, Any] = {
    "generation_size_is_positive": Nothing,
    "proposals_are_inside": OffGrid,
    "proposals_are_as_many_as_wanted": TooMany,
    "proposals_are_new": (Doubled, Forgetful),
    "resumed_searches_get_the_same": Memorising,
    "exhaustion_ends": NeverTired,
    "failures_do_not_stop_it": NeedsScores,
    "constraints_are_kept": Unconstrained,
    "spaces_without_ends_are_searched": FromTheFull,
    "it_leaves_the_process_alone": Reseeding,
    "it_prints_nothing": Chatty,
    "it_repeats": Counting,
    "another_seed_gives_another_result": OneSeed,
    "it_leaves_its_arguments_alone": Sorting,
}
