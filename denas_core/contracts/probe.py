"""The latency probe contract, and a base class for probes that time a call with the wall clock of this process."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core.errors import ConfigError
from denas_core.system.threads import pinned_threads
from denas_core.values.latency import Latency
from denas_core.values.metrics import ArchitectureMetric

from .component import Component, option

if TYPE_CHECKING:
    from denas_core.values.architecture import Architecture

    from .space import SearchSpace

# Standard normal quantile of a two-sided 95 % interval.
_Z = 1.96


@dataclasses.dataclass(kw_only=True)
class LatencyProbe(Component, ABC):
    """A way to measure latency on a target.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `prepare` and `time`.

    A complete probe, which reads latency from a simulator instead of a clock:

    >>> import dataclasses
    >>> from denas_core import Latency, LatencyProbe, option
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Simulator(LatencyProbe):
    ...     flops_per_ms: float = option(1e6, "Speed of the simulated device", above=0)
    ...
    ...     def prepare(self, space, arch, *, seed, device):
    ...         return lambda: space.cost(arch)["flops"] / self.flops_per_ms
    ...
    ...     def time(self, call, reference):
    ...         ms = call()
    ...         return Latency(median=ms, low=ms, high=ms, verdict="stable", rounds=1)
    >>> probe, space = Simulator(flops_per_ms=1000), SampleMLP()
    >>> call = probe.prepare(space, space.smallest(), seed=0, device="cpu")
    >>> probe.time(call, reference=None).median == space.cost(space.smallest())["flops"] / 1000
    True
    """

    metrics: ClassVar[tuple[ArchitectureMetric, ...]] = ()
    """Declarations of the metrics that `other_metrics` returns. Each has ``is_measured=True``."""

    def units(self, space: SearchSpace) -> Mapping[str, float]:
        """Return how much data one call processes, by unit, see `Batch.units`; by default, nothing is known."""
        return {}

    def other_metrics(
        self, call: Callable[[], object], reference: Callable[[], object] | None
    ) -> Mapping[str, Latency]:
        """Return the metrics that the probe declares, measured on `call`; by default none.

        This is called after `time`, with the same arguments. Each value is a median with its confidence interval, in
        the unit of the metric.
        """
        return {}

    @abstractmethod
    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a function that runs `arch` once on the target, so that `time` can time it."""

    @abstractmethod
    def time(self, call: Callable[[], object], reference: Callable[[], object] | None) -> Latency:
        """Time `call`, in alternation with `reference`.

        Args:
            call: The function that `prepare` returned.
            reference: Runs a fixed network, which shows how fast the machine is at the moment; None if there is none.
        """


@dataclasses.dataclass(kw_only=True)
class TimedProbe(LatencyProbe):
    """Times a call in this process: first a warm-up, then rounds that alternate with a reference network.

    Rounds continue until the 95 % confidence interval of the median is narrow enough. If `max_rounds` is reached before
    that, the verdict is *unstable*. The median is used because on a shared machine a few rounds are ten times slower. A
    subclass defines `prepare`.
    """

    batch_size: int = option(1, "Samples of one call", at_least=1, at_most=65536)
    threads: int = option(1, "Threads of one call", at_least=1, at_most=1024)
    warmup: int = option(5, "Calls before timing starts", at_least=0, at_most=1000)
    min_rounds: int = option(30, "Timed calls at least", at_least=6, at_most=100_000)
    max_rounds: int = option(200, "Timed calls at most", at_least=6, at_most=100_000)
    precision: float = option(
        0.03, "Half-width of the interval, relative to the median, that is stable", above=0
    )

    def __post_init__(self) -> None:
        if self.min_rounds > self.max_rounds:
            raise ConfigError(f"min_rounds {self.min_rounds} is more than max_rounds {self.max_rounds}")

    def units(self, space: SearchSpace) -> Mapping[str, float]:
        """Return how much data one batch holds, by unit."""
        return space.batch(self.batch_size, seed=0).units

    def time(self, call: Callable[[], object], reference: Callable[[], object] | None) -> Latency:
        """Return the median time of `call` with its confidence interval."""
        times: list[float] = []
        ratios: list[float] = []
        with pinned_threads(self.threads):
            for _ in range(self.warmup):
                call()
                if reference is not None:
                    reference()
            while len(times) < self.max_rounds:
                times.append(_milliseconds(call))
                if reference is not None:
                    ratios.append(times[-1] / _milliseconds(reference))
                if len(times) >= self.min_rounds and self._is_narrow(times):
                    break
        low, high = median_interval(times)
        return Latency(
            median=statistics.median(times),
            low=low,
            high=high,
            verdict="stable" if self._is_narrow(times) else "unstable",
            rounds=len(times),
            relative=statistics.median(ratios) if ratios else None,
        )

    def _is_narrow(self, times: Sequence[float]) -> bool:
        low, high = median_interval(times)
        return (high - low) / 2 <= self.precision * statistics.median(times)


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return a 95 % confidence interval of the median that holds for any distribution.

    The ends are the order statistics with the ranks n/2 -+ 1.96 sqrt(n)/2, rounded outwards, because the number of
    values below the median has a binomial distribution (Conover, Practical Nonparametric Statistics, section 3.2).
    """
    ordered = sorted(values)
    spread = _Z * math.sqrt(len(ordered)) / 2
    low = max(math.floor(len(ordered) / 2 - spread), 1)
    high = min(math.ceil(len(ordered) / 2 + spread) + 1, len(ordered))
    return ordered[low - 1], ordered[high - 1]


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    call()
    return max(time.perf_counter_ns() - start, 1) / 1e6
