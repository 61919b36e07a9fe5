"""The strategy contract: a strategy proposes architectures as a pure function of the finished generations."""

from __future__ import annotations

import dataclasses
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence, Set
from typing import ClassVar

from denas_core.seeding import derive_rng
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Trial

from .component import Component
from .problem import Problem

ATTEMPTS = 50
"""Number of proposals that are tried for one place of a generation before the place stays empty."""

MOST_BOUNDED = 8
"""Number of such attempts under constraints, because each one may count hundreds of costs."""

MOST_KNOWN = 3
"""Number of attempts whose result is known already before the next one starts at an architecture within the bounds."""

EMPTY_PLACES = 3
"""Number of empty places in succession after which nothing new is expected within the constraints."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The finished generations of a search.

    Attributes:
        trials: All trials, in the order in which they were proposed.
        ranked: The same trials, best first: scored ones by value, then those that were cut, then infeasible ones by
            violation, then failed ones.
        values: Combined score by key, computed from these trials only.
    """

    trials: Sequence[Trial] = ()
    ranked: Sequence[Trial] = ()
    values: dict[str, float] = dataclasses.field(default_factory=dict)

    def keys(self) -> set[str]:
        """Return the keys of all trials."""
        return {trial.arch.key for trial in self.trials}


@dataclasses.dataclass(kw_only=True)
class Strategy(Component, ABC):
    """A way to propose architectures. It has no state, so that a resumed search gets the same proposals again.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `generation_size` and `ask`.

    Attributes:
        learns: Whether later generations depend on results. If they do, generations become smaller when the time
            budget would allow only one or two of them.

    A complete strategy, and its first two proposals:

    >>> import dataclasses
    >>> from denas_core import History, Problem, Strategy, option, propose_distinct
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class LocalSearch(Strategy):
    ...     steps: int = option(10, "Proposals of one generation", at_least=1)
    ...
    ...     @property
    ...     def generation_size(self):
    ...         return self.steps
    ...
    ...     def ask(self, problem, history, *, count, seed):
    ...         best = history.ranked[0].arch if history.ranked else None
    ...
    ...         def propose(place, rng):
    ...             space = problem.space
    ...             return problem.sample(rng) if best is None else space.mutate(best, rng)
    ...
    ...         return propose_distinct(problem, history, count=count, seed=seed, propose=propose)
    >>> len(LocalSearch().ask(Problem(SampleMLP()), History(), count=2, seed=0))
    2
    """

    learns: ClassVar[bool] = True

    @property
    @abstractmethod
    def generation_size(self) -> int:
        """Number of proposals in one generation. It must not depend on the number of workers."""

    @property
    def kept_share(self) -> float:
        """Share of the candidates that go on after each group of components of the score, see `CombinedScore.rungs`.

        With 1, which is the default, every component of every candidate is computed. With less, a candidate is compared
        with the last ones of finished generations, and becomes a trial with the state ``cut`` if it is not in this
        share. Candidates of the first generation are never cut.
        """
        return 1.0

    @abstractmethod
    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        """Return up to `count` distinct architectures that are not in `history`.

        Args:
            problem: The space, its constraints and the objectives of the search.
            history: Every finished generation.
            count: Number of architectures wanted: `generation_size`, or fewer under a time budget. Return fewer if the
                space is exhausted, or if later generations are smaller than the first one. An empty list ends the
                search.
            seed: Seed of this generation. All random numbers must be derived from it.
        """


def propose_random(problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
    """Return `count` new random architectures within the constraints, see `Problem.sample` and `propose_distinct`."""
    return propose_distinct(
        problem, history, count=count, seed=seed, propose=lambda place, rng: problem.sample(rng)
    )


def propose_distinct(
    problem: Problem,
    history: History,
    *,
    count: int,
    seed: int,
    propose: Callable[[int, random.Random], Architecture],
) -> list[Architecture]:
    """Return `count` new architectures from `propose`, repaired with `Problem.repair`, without duplicates.

    If a repair fails, the next attempt for the place starts near an architecture that is known to keep the constraints.
    Architectures that break them are only returned while none is known that keeps them.

    Args:
        problem: The space and its constraints.
        history: Every finished generation.
        count: Number of architectures wanted.
        seed: Seed of the generation.
        propose: Returns an architecture for a place in the generation, given a random generator for this draw.

    Returns:
        The architectures; fewer than `count` if `ATTEMPTS` draws for a place gave nothing new. Under constraints there
        are `MOST_BOUNDED` attempts for a place, and the generation ends after `EMPTY_PLACES` empty places in
        succession.
    """
    taken = history.keys()
    within = [trial.arch for trial in history.trials if trial.is_scored]
    proposals: list[Architecture] = []
    empty = 0
    for place in range(count):
        arch = _propose_one(problem, taken, within, place=place, seed=seed, propose=propose)
        if arch is None:
            empty += 1
            if problem.counted_constraints and empty == EMPTY_PLACES:
                break
            continue
        empty = 0
        taken.add(arch.key)
        proposals.append(arch)
        if not problem.violations(arch):
            within.append(arch)
    return proposals


def _propose_one(
    problem: Problem,
    taken: Set[str],
    within: Sequence[Architecture],
    *,
    place: int,
    seed: int,
    propose: Callable[[int, random.Random], Architecture],
) -> Architecture | None:
    """Return a new architecture for a place, or None; one that breaks a constraint only if `within` is empty."""
    is_bounded = bool(problem.counted_constraints)
    broken: list[Architecture] = []
    known = 0
    for attempt in range(MOST_BOUNDED if is_bounded else ATTEMPTS):
        rng = derive_rng(seed, "propose", place, attempt)
        if within and (broken or known >= MOST_KNOWN) and is_bounded:
            arch = problem.vary(rng.choice(within), rng, taken=taken)
        else:
            arch = problem.repair(propose(place, rng), rng)
        if problem.violations(arch):
            broken.append(arch)
        elif arch.key in taken:
            known += 1
        else:
            return arch
    new = [arch for arch in broken if arch.key not in taken]
    return None if within or not new else min(new, key=problem.total_violation)
