"""The strategy ``optuna/tpe``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from denas_core import History, Problem, option

from .modelled import ModelledStrategy
from .strategy import ENOUGH

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclasses.dataclass(kw_only=True)
class TPE(ModelledStrategy):
    """The tree-structured Parzen estimator of Optuna (Bergstra et al. 2011; Watanabe 2023, arXiv:2304.11127).

    It models the values of the knobs in the better and in the other trials, and proposes values that are frequent in
    the better ones. Knobs that are active together are modelled together. With `front`, better trials are those
    that fewer others dominate, and each knob is modelled alone.
    """

    samples: int = option(
        24, "Values drawn for one proposal, of which the best is taken", at_least=1, at_most=10_000
    )

    def sampler(self, problem: Problem, history: History, *, seed: int) -> BaseSampler:
        """Return Optuna's sampler. It keeps away from candidates whose results are not known (constant liar)."""
        from optuna.samplers import TPESampler

        is_single = len(self.objectives(problem)) == 1
        return TPESampler(
            n_startup_trials=min(self.startup, ENOUGH),
            n_ei_candidates=self.samples,
            seed=seed,
            multivariate=is_single,
            group=is_single,
            constant_liar=True,
        )
