"""The metrics of a timed call beside its median: a slow call, and calls in a second."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from denas_core.values.latency import Latency
from denas_core.values.metrics import ArchitectureMetric

P90 = ArchitectureMetric(
    name="latency_p90_ms", label="90th percentile of the latency", unit="ms", is_measured=True
)
THROUGHPUT = ArchitectureMetric(
    name="throughput", label="throughput", unit="samples/s", direction="maximize", is_measured=True
)

ROUNDS = 60
"""Calls that are timed. With fewer, the interval of the 90th percentile has no upper end."""

# Standard normal quantile of a two-sided 95 % interval.
_Z = 1.96


def tail_metrics(
    milliseconds: Callable[[], float], *, batch_size: int, tolerance: float
) -> dict[str, Latency]:
    """Time a call again, and return `P90` and `THROUGHPUT` by name, with 95 % confidence intervals.

    They say how the machine runs the call at the moment; the reference network, which shows how fast the machine is,
    has no part in them.

    Args:
        milliseconds: Runs the call once, and returns how long it took, without waiting for a core.
        batch_size: Samples of a call.
        tolerance: Half-width of an interval, relative to its median, up to which it is stable.
    """
    times = sorted(milliseconds() for _ in range(ROUNDS))
    slow = quantile_interval(times, 0.9)
    # The most samples go through in the shortest time.
    low, median, high = (1000 * batch_size / time for time in reversed(quantile_interval(times, 0.5)))
    return {
        P90.name: _measured(*slow, tolerance=tolerance),
        THROUGHPUT.name: _measured(low, median, high, tolerance=tolerance),
    }


def quantile_interval(ordered: Sequence[float], share: float) -> tuple[float, float, float]:
    """Return low end, estimate and high end of a quantile, from values in ascending order.

    The ends are the order statistics with the ranks nq -+ 1.96 sqrt(nq(1-q)), rounded outwards, because the number of
    values below the quantile has a binomial distribution (Conover, Practical Nonparametric Statistics, section 3.2).
    """
    count = len(ordered)
    spread = _Z * math.sqrt(count * share * (1 - share))
    low = ordered[max(math.floor(count * share - spread), 1) - 1]
    high = ordered[min(math.ceil(count * share + spread) + 1, count) - 1]
    if share == 0.5:
        return low, statistics.median(ordered), high
    return low, ordered[min(math.ceil(count * share), count) - 1], high


def _measured(low: float, median: float, high: float, *, tolerance: float) -> Latency:
    is_narrow = (high - low) / 2 <= tolerance * median
    return Latency(
        median=median, low=low, high=high, verdict="stable" if is_narrow else "unstable", rounds=ROUNDS
    )
