"""What every latency probe must do: run the network, and give an interval that can be believed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.testing.check import Check, require
from denas_core.testing.samples.members import ends
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import safe_repr
from denas_core.values.latency import Latency

if TYPE_CHECKING:
    from denas_core.contracts.probe import LatencyProbe
    from denas_core.contracts.space import SearchSpace

SHORT_MS, LONG_MS = 2.0, 20.0


class CallFailed(Exception):
    """What a call that is timed raises in `faults_of_the_call_come_through`."""


def calls_are_prepared(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """prepare() returns a call that runs, and runs again."""
    for space in spaces:
        call: Any = _prepared(probe, space)
        require(callable(call), f"prepare() returns {safe_repr(call)}; return a function without arguments")
        for _ in range(2):
            try:
                call()
            except Exception as error:
                require(
                    False,
                    f"the call of prepare() raises {type(error).__name__}: {error} for a network of {space.id}; it "
                    "must run any network that the space builds",
                )


def latencies_are_intervals(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """time() gives a Latency: positive, finite, the median within its interval, with a verdict and rounds."""
    for space in spaces:
        _require_latency(probe.time(_prepared(probe, space), None))


def references_are_optional(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """Without a reference there is no relative latency; with one it is a positive number, or none."""
    for space in spaces:
        call = _prepared(probe, space)
        alone, beside = probe.time(call, None), probe.time(call, call)
        require(
            alone.relative is None, f"without a reference 'relative' is {alone.relative!r}; leave it None"
        )
        require(
            beside.relative is None or _is_positive(beside.relative),
            f"with a reference 'relative' is {beside.relative!r}; give the median of the ratios",
        )
        _require_latency(beside)


def slower_calls_take_longer(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """A call of 20 ms measures longer than one of 2 ms."""
    short, long = probe.time(_sleeping(SHORT_MS), None), probe.time(_sleeping(LONG_MS), None)
    require(
        short.median < long.median,
        f"a call of {SHORT_MS:g} ms measures {short.median:.4g} ms and one of {LONG_MS:g} ms {long.median:.4g} ms; "
        "time the call that is given",
    )


def faults_of_the_call_come_through(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """What the call raises, time() raises."""

    def call() -> object:
        raise CallFailed("raised by the check")

    try:
        found = probe.time(call, None)
    except CallFailed:
        return
    require(False, f"time() of a call that raises returns {safe_repr(found)}; let the exception through")


def units_are_positive(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """units() gives what a call works through as positive numbers by unit."""
    for space in spaces:
        units: Any = probe.units(space)
        require(isinstance(units, Mapping), f"units() returns {safe_repr(units)}; return a mapping")
        for unit, amount in units.items():
            require(_is_positive(amount), f"units() gives {unit}={amount!r}; use positive numbers")


def it_leaves_the_process_alone(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """Measuring changes neither global random generators nor settings of torch nor the working directory."""
    for space in spaces:
        with left_alone("prepare() or time()"):
            probe.time(_prepared(probe, space), None)


def it_prints_nothing(probe: LatencyProbe, spaces: Sequence[SearchSpace]) -> None:
    """Measuring prints nothing."""
    for space in spaces:
        with silent("prepare() or time()"):
            probe.time(_prepared(probe, space), None)


def _prepared(probe: LatencyProbe, space: SearchSpace) -> Callable[[], object]:
    return probe.prepare(space, ends(space)[0], seed=0, device="cpu")


def _sleeping(milliseconds: float) -> Callable[[], object]:
    def call() -> float:
        time.sleep(milliseconds / 1e3)
        # For probes that read what a call reports, such as a simulator.
        return milliseconds

    return call


def _require_latency(latency: Any) -> None:
    require(isinstance(latency, Latency), f"time() returns {safe_repr(latency)}; return a denas_core.Latency")
    ends_ = (latency.low, latency.median, latency.high)
    require(
        all(_is_positive(end) for end in ends_) and latency.low <= latency.median <= latency.high,
        f"low, median and high are {safe_repr(ends_)}; they must be positive, finite and in this order",
    )
    require(latency.rounds >= 1, f"rounds is {latency.rounds!r}; count the calls that were timed")
    require(
        latency.verdict in ("stable", "unstable"),
        f"the verdict is {latency.verdict!r}; it is 'stable' or 'unstable'",
    )


def _is_positive(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0


PROBE_CHECKS: tuple[Check, ...] = (
    calls_are_prepared,
    latencies_are_intervals,
    references_are_optional,
    slower_calls_take_longer,
    faults_of_the_call_come_through,
    units_are_positive,
    it_leaves_the_process_alone,
    it_prints_nothing,
)
