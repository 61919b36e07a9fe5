"""The strategy ``optuna/gp``."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import TYPE_CHECKING, ClassVar

from denas_core import History, Problem
from denas_core.errors import NotInstalled

from .modelled import ModelledStrategy
from .strategy import ENOUGH

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

NEEDED = ("scipy", "greenlet")
"""Libraries that Optuna's sampler needs beside torch; without greenlet it is several times slower."""


@dataclasses.dataclass(kw_only=True)
class GaussianProcess(ModelledStrategy):
    """Bayesian optimisation with a Gaussian process, Optuna's GPSampler.

    It models the score (with `front`, each objective) as a function of all knobs, and proposes what promises the
    largest improvement. A knob that is not active counts as its middle value. A proposal takes seconds after some
    hundred trials, so it suits candidates that take minutes.
    """

    fills_inactive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise NotInstalled(
                f"strategy 'optuna/gp' needs {' and '.join(missing)}: pip install 'denas-optuna[gp]'"
            )

    def sampler(self, problem: Problem, history: History, *, seed: int) -> BaseSampler:
        """Return Optuna's sampler. It takes into account that candidates are proposed whose results are not known."""
        from optuna.samplers import GPSampler

        return GPSampler(
            n_startup_trials=min(self.startup, ENOUGH), seed=seed, warn_independent_sampling=False
        )
