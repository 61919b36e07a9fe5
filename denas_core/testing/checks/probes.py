"""What every latency probe promises: it runs the network, and gives an interval that can be believed."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import ForTheCheck, check, check_on, fail, must_succeed
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.members import ends
from denas_core.values.latency import Latency

from .calls import Call

SHORT_MS, LONG_MS = 2.0, 20.0


@dataclasses.dataclass(frozen=True)
class Case:
    """A network that a probe is tried on, the smallest of a space."""

    probe: LatencyProbe
    space: SearchSpace

    def prepared(self) -> Callable[[], object]:
        """Return the call that the probe prepares."""
        return self.probe.prepare(self.space, ends(self.space)[0], seed=0, device="cpu")

    def calls(self) -> list[Call]:
        """Return how a search calls the probe."""
        return [
            Call("prepare() or time()", lambda seed: self.probe.time(self.prepared(), None), repeats=False),
            Call("units()", lambda seed: dict(self.probe.units(self.space))),
        ]


def cases(probe: LatencyProbe, spaces: tuple[SearchSpace, ...]) -> list[Case]:
    """Return a network of each space."""
    return [Case(probe, space) for space in spaces]


def calls(probe: LatencyProbe, spaces: tuple[SearchSpace, ...]) -> Iterator[list[Call]]:
    """Yield how a search calls a probe."""
    yield from (case.calls() for case in cases(probe, spaces))


@check_on(cases)
def calls_are_prepared(probe: LatencyProbe, case: Case) -> None:
    """prepare() returns a call that runs, and runs again."""
    call: Any = case.prepared()
    if not callable(call):
        fail(f"prepare() returns {brief(call)}; return a function without arguments")
    for _ in range(2):
        with must_succeed(
            f"the call of prepare() for {case.space.id}", "run any network that a space builds"
        ):
            call()


@check_on(cases)
def latencies_are_intervals(probe: LatencyProbe, case: Case) -> None:
    """time() gives a positive, finite median within its interval; a relative latency only beside a reference."""
    call = case.prepared()
    own = probe.reference(case.space, seed=0, device="cpu")
    if own is not None and not callable(own):
        fail(f"reference() returns {brief(own)}; return a function without arguments, or None")
    for reference in (None, own):
        latency: Any = probe.time(call, reference)
        if not isinstance(latency, Latency):
            fail(f"time() returns {brief(latency)}; return a denas_core.Latency")
        interval = (latency.low, latency.median, latency.high)
        if not all(map(_is_positive, interval)) or list(interval) != sorted(interval):
            fail(f"low, median and high are {brief(interval)}; give positive, finite numbers in this order")
        if latency.rounds < 1 or latency.verdict not in ("stable", "unstable"):
            fail(f"time() gives {brief(latency, 200)}; count rounds, and call it 'stable' or 'unstable'")
        if latency.relative is not None and (reference is None or not _is_positive(latency.relative)):
            fail(f"'relative' is {latency.relative!r}; give the median of the ratios, or None")


@check
def slower_calls_take_longer(probe: LatencyProbe) -> None:
    """A call of 20 ms measures longer than one of 2 ms."""
    short, long = (probe.time(_sleeping(duration), None).median for duration in (SHORT_MS, LONG_MS))
    if short >= long:
        fail(f"calls of {SHORT_MS:g} and {LONG_MS:g} ms measure {short:.4g} and {long:.4g} ms; time the call")


@check
def exceptions_of_the_call_come_through(probe: LatencyProbe) -> None:
    """What the call raises, time() raises."""

    def call() -> object:
        raise ForTheCheck("raised by the check")

    try:
        found = probe.time(call, None)
    except ForTheCheck:
        return
    fail(f"time() of a call that raises returns {brief(found)}; let the exception through")


@check_on(cases)
def units_are_positive(probe: LatencyProbe, case: Case) -> None:
    """units() gives what a call works through as positive numbers by unit."""
    units: Any = probe.units(case.space)
    if not isinstance(units, Mapping) or not all(map(_is_positive, units.values())):
        fail(f"units() returns {brief(units)}; return a mapping of positive numbers")


def _sleeping(milliseconds: float) -> Callable[[], object]:
    def call() -> float:
        time.sleep(milliseconds / 1e3)
        # For probes that read what a call reports, such as a simulator.
        return milliseconds

    return call


def _is_positive(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0
