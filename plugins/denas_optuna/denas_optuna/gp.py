"""The strategy ``optuna/gp``."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core import History, Objective, Problem, option
from denas_core.errors import NotInstalled

from .strategy import ENOUGH, SampledStrategy, all_objectives, score_alone

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

NEEDED = ("scipy", "greenlet")
"""Libraries that Optuna's sampler needs beside torch; without greenlet it is several times slower."""


@dataclasses.dataclass(kw_only=True)
class GaussianProcess(SampledStrategy):
    """Bayesian optimisation with a Gaussian process, Optuna's GPSampler.

    It models the score (with `front`, each objective) as a function of all knobs, and proposes what promises the
    largest improvement. A knob that is not active counts as its middle value. A proposal takes seconds after some
    hundred trials, so it suits candidates that take minutes.
    """

    fills_inactive: ClassVar[bool] = True

    startup: int = option(40, "Random candidates before the sampler proposes", at_least=1, at_most=100_000)
    batch: int = option(10, "Candidates proposed before their results are known", at_least=1, at_most=100_000)
    front: bool = option(False, "Search for the front of all objectives, instead of the best score")

    def __post_init__(self) -> None:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise NotInstalled(
                f"strategy 'optuna/gp' needs {' and '.join(missing)}: pip install 'denas-optuna[gp]'"
            )

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

    def sampler(self, problem: Problem, history: History, *, seed: int) -> BaseSampler:
        """Return Optuna's sampler. It takes into account that candidates are proposed whose results are not known."""
        from optuna.samplers import GPSampler

        return GPSampler(
            n_startup_trials=min(self.startup, ENOUGH), seed=seed, warn_independent_sampling=False
        )
