"""NSGA-II whose candidates get the dear components of the score only if the cheap ones are good."""

from __future__ import annotations

import dataclasses

from denas_core.contracts.component import option

from .nsga2 import NSGA2


@dataclasses.dataclass(kw_only=True)
class SuccessiveHalving(NSGA2):
    """Proposes what NSGA-II proposes, and computes the dear components of a score for the better candidates alone.

    The score orders its components in groups by their cost, see `CombinedScore.rungs`. After each group but the last, a
    candidate is compared with the last candidates that were evaluated as far, and goes on if it is in the share
    `keep` of them by what is known (asynchronous successive halving: Li et al. 2020, arXiv:1810.05934). A
    candidate that does not go on has the state ``cut``. It is never a parent, and never in the result. The candidates
    of the first generation are scored completely.
    """

    keep: float = option(
        0.5,
        "Share of the candidates that go on after each group of components of the score",
        above=0,
        at_most=1,
    )

    @property
    def kept_share(self) -> float:
        """The option `keep`."""
        return self.keep
