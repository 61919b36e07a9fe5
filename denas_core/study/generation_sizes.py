"""Sizes of generations that were made smaller to fit a time budget."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.setup.setup import Setup
from denas_core.values.trial import Trial

from .proposals import propose


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
