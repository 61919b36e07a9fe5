"""Predictors and probes of the toy space, whose errors are known."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from denas_core import Latency, LatencyProbe, option
from denas_core.values.architecture import Architecture
from tests.toy.denas_toy.stairs import Stairs


@dataclasses.dataclass(frozen=True)
class Guess:
    """Predicts a millisecond a parameter, times a factor."""

    factor: float = 1.0
    space: Any = dataclasses.field(default_factory=Stairs)
    error: str = "median error 2.0 %, Kendall tau 0.97, on 5 unseen networks"

    def predict(self, arch: Architecture) -> Latency:
        ms = self.factor * self.space.cost(arch)["params"]
        return Latency(median=ms, low=0.9 * ms, high=1.1 * ms, verdict="predicted", rounds=0)


@dataclasses.dataclass(kw_only=True)
class Scale(LatencyProbe):
    """Reads a millisecond a parameter, and counts its readings."""

    width: float = option(0.01, "Half-width of the interval, relative to the median", at_least=0)
    noisy: bool = option(False, "Whether the interval is too wide")
    broken: bool = option(False, "Whether every measurement fails")
    pause: float = option(0.0, "Seconds that a measurement takes", at_least=0)

    def prepare(self, space: Any, arch: Architecture, *, seed: int, device: str) -> Any:
        if self.broken:
            raise RuntimeError("no such runtime")
        return lambda: space.cost(arch)["params"]

    def time(self, call: Any, reference: Any) -> Latency:
        time.sleep(self.pause)
        ms = float(call())
        self.__dict__["readings"] = [*self.readings, ms]
        return Latency(
            median=ms,
            low=ms * (1 - self.width),
            high=ms * (1 + self.width),
            verdict="unstable" if self.noisy else "stable",
            rounds=1,
        )

    @property
    def readings(self) -> list[float]:
        """What was measured, in order."""
        found: list[float] = self.__dict__.get("readings", [])
        return found
