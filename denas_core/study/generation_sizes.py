"""Sizes of generations that were made smaller to fit a time budget."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.setup.setup import Setup
from denas_core.values.sample import SMALLEST_SAMPLE
from denas_core.values.trial import Trial

from .proposals import propose

GENERATIONS = 5
"""Generations that a time budget should allow: the four that are promised, and one as the rate is an estimate."""

SMALLEST = 2
"""Size of the smallest generation: one random candidate, and one made from the best so far."""


@dataclasses.dataclass(frozen=True, slots=True)
class GenerationSizes:
    """Sizes of generations that were made smaller to fit a time budget. A resumed run keeps them.

    Attributes:
        first: Candidates of the first generation, some of which were evaluated before the rate was known.
        later: Candidates of every later generation.
    """

    first: int
    later: int

    @classmethod
    def fit(cls, expected: float, *, full: int, taken: int, needs_sample: bool) -> GenerationSizes:
        """Return sizes that allow several generations.

        Args:
            expected: Number of trials that the budget allows.
            full: The size that the strategy wants, which is the upper limit.
            taken: Candidates of the first generation that are evaluated already, or at the moment.
            needs_sample: Whether scores are ranks against the first generation. It then has the smallest useful sample
                if that leaves at least as many candidates for later generations.
        """
        later = min(full, max(SMALLEST, int(expected / GENERATIONS)))
        sample = SMALLEST_SAMPLE if needs_sample and expected >= 2 * SMALLEST_SAMPLE else 0
        return cls(first=min(full, max(later, taken, sample)), later=later)

    @classmethod
    def read(cls, header: Mapping[str, Any]) -> GenerationSizes | None:
        """Return the sizes that are stored in the header of a run; None if the strategy decides them."""
        stored = header.get("generation_sizes")
        return None if stored is None else cls(int(stored["first"]), int(stored["later"]))

    @classmethod
    def recover(cls, setup: Setup, trials: Sequence[Trial]) -> GenerationSizes | None:
        """Return the sizes with which the strategy proposes the stored trials, for a run whose header is lost.

        Args:
            setup: The objects of the search.
            trials: The stored trials in order.

        Returns:
            The sizes; None if the strategy decided them, or if the first generation is the only one. A resumed search
            then chooses the sizes from the rate that it measures.

        Raises:
            PluginError: the strategy fails.
        """
        if not setup.strategy.learns:
            return None
        generations = [
            list(group) for _, group in itertools.groupby(trials, key=lambda trial: trial.generation)
        ]
        if len(generations) < 2:
            return None
        first, second = generations[:2]
        stored = [trial.arch.key for trial in second]
        full = setup.strategy.generation_size
        # Proposals depend on the size, so the second generation shows it. Mostly, it is the size of the first one.
        for size in (len(first), *range(len(stored), full)):
            proposed = [arch.key for arch in propose(setup, first, 1, count=size)]
            is_whole = len(generations) > 2
            if proposed[: None if is_whole else len(stored)] == stored:
                return None if size >= full else cls(len(first), size)
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of the header that `read` reads."""
        return {"generation_sizes": dataclasses.asdict(self)}
