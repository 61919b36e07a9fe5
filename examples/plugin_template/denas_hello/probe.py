"""A latency probe, which measures the time that a network takes on a target device."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from denas_core import Latency, LatencyProbe, option

if TYPE_CHECKING:
    from denas_core import Architecture, SearchSpace


@dataclasses.dataclass(kw_only=True)
class HelloProbe(LatencyProbe):
    """The median wall-clock time of a fixed number of calls in this process, on the CPU."""

    rounds: int = option(50, "Timed calls", at_least=10, at_most=100_000)
    warmup: int = option(5, "Calls before the timed ones", at_least=0)
    precision: float = option(0.1, "Largest half-width of the interval, as a share of the median", above=0)

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a function that runs `arch` on one sample. Other probes send the network to their device."""
        import torch

        # On the meta device, the network is built without the use of global random generators.
        with torch.device("meta"):
            model = space.build(arch)
        model = space.load(model, arch, seed=seed).eval()
        batch = space.batch(1, seed=seed)

        def call() -> object:
            with torch.inference_mode():
                return space.forward(model, batch)

        return call

    def time(self, call: Callable[[], object], reference: Callable[[], object] | None) -> Latency:
        """Return the median with its 95 % interval between the order statistics n/2 -+ 0.98 sqrt(n)."""
        for _ in range(self.warmup):
            call()
        times = sorted(_milliseconds(call) for _ in range(self.rounds))
        middle, spread = self.rounds // 2, math.ceil(0.98 * math.sqrt(self.rounds))
        low, median, high = times[middle - spread], times[middle], times[middle + spread]
        is_narrow = (high - low) / 2 <= self.precision * median
        return Latency(
            median=median,
            low=low,
            high=high,
            verdict="stable" if is_narrow else "unstable",
            rounds=self.rounds,
        )


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
