"""Scores of a staircase, by seed and architecture alone."""

import ctypes
import dataclasses
import itertools
import os
import time
from pathlib import Path

from denas_core import CombinedScore, ProxyScore, ScoreFailed, derive_rng, option

from .gate import wait_at


@dataclasses.dataclass(kw_only=True)
class Height(ProxyScore):
    """How high the stairs lead, with a little noise from the seed; a measurement tells a file that it has begun."""

    pause: float = option(0.0, "Seconds that a measurement takes", at_least=0)
    failing: int = option(0, "One in so many architectures fails; 0 for none", at_least=0)
    hanging: int = option(0, "One in so many architectures hangs in C; 0 for none", at_least=0)
    gate: str = option("", "File that says after how many trials measurements wait while it is there")

    def measure(self, candidate):
        if begun := os.environ.get("DENAS_TOY_BEGUN"):
            Path(begun).touch()
        if self.gate:
            wait_at(Path(self.gate))
        time.sleep(self.pause)
        if self.hanging and int(candidate.arch.key, 16) % self.hanging == 1:
            ctypes.PyDLL(None).sleep(1000)
        if self.failing and int(candidate.arch.key, 16) % self.failing == 0:
            raise ScoreFailed("the stairs are broken")
        rng = derive_rng(candidate.seed, "height", candidate.arch.key)
        return candidate.cost()["params"] + rng.random()


@dataclasses.dataclass(kw_only=True)
class Slope(ProxyScore):
    """The steepest difference between two steps."""

    direction = "minimize"

    def measure(self, candidate):
        steps = [value for name, value in candidate.arch.values.items() if name != "depth"]
        return max(abs(a - b) for a, b in itertools.pairwise(steps))


@dataclasses.dataclass(kw_only=True)
class Both(CombinedScore):
    """Height and slope."""

    pause: float = option(0.0, "Seconds that a measurement takes", at_least=0)
    failing: int = option(0, "One in so many architectures fails; 0 for none", at_least=0)
    hanging: int = option(0, "One in so many architectures hangs in C; 0 for none", at_least=0)
    gate: str = option("", "File that says after how many trials measurements wait while it is there")

    def default_weights(self, space):
        return {"height": 1.0, "slope": 1.0, "latency": 0.0}

    def component(self, name, space):
        if name == "height":
            return Height(pause=self.pause, failing=self.failing, hanging=self.hanging, gate=self.gate)
        return Slope() if name == "slope" else None


@dataclasses.dataclass(kw_only=True)
class Sampled(Both):
    """Height and slope, ranked against the random candidates of the run."""

    uses_sample = True


@dataclasses.dataclass(kw_only=True)
class Tiered(Sampled):
    """Slope first, and height, which may take long, for candidates whose slope is good."""

    def rungs(self, components):
        return [["slope"], ["height"]]
