"""The times of operators on this machine: in the runtime of a probe, and in PyTorch for those that it does not time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.operator_timer import OperatorTimer
from denas_core.contracts.probe import LatencyProbe
from denas_core.system.cache import read_cached, write_cached
from denas_core.system.machine import latency_fingerprint
from denas_core.system.threads import pinned_threads

from . import operator_times
from .model import Target
from .operator_times import time_calls
from .operators import Operator
from .table import LEAST_MS, OperatorTable


class TorchOperators(OperatorTimer):
    """Times operators in PyTorch, for probes whose runtime is PyTorch, and for what other timers leave out."""

    def facts(self) -> Mapping[str, Any]:
        """Return nothing, because the version of torch counts as a part of the machine."""
        return {}

    def times(
        self, calls: Sequence[Mapping[str, Any]], *, device: str, threads: int, seconds: float
    ) -> Sequence[float | None]:
        """Return the milliseconds of each call."""
        with pinned_threads(threads):
            return time_calls([dict(call) for call in calls], device=device, seconds=seconds)

    def script(self) -> str:
        """Return a program that needs only torch."""
        return Path(operator_times.__file__).read_text(encoding="utf-8")


def timer_of(probe: LatencyProbe) -> OperatorTimer:
    """Return what times the operators of a probe."""
    return probe.operator_timer() or TorchOperators()


def probe_times(
    operators: Iterable[Operator],
    target: Target,
    probe: LatencyProbe,
    *,
    seconds: float,
    fresh: bool = False,
) -> dict[Operator, float]:
    """Return the times of operators on this machine, in the runtime of a probe as far as it times them."""
    until = time.monotonic() + seconds
    wanted = list(operators)
    found: dict[Operator, float] = {}
    own = probe.operator_timer()
    if own is not None:
        found = times_here(wanted, target, own, seconds=seconds, fresh=fresh)
        wanted = [operator for operator in wanted if operator not in found]
    left = max(until - time.monotonic(), seconds / 4)
    return {**found, **times_here(wanted, target, TorchOperators(), seconds=left, fresh=fresh)}


def times_here(
    operators: Iterable[Operator],
    target: Target,
    timer: OperatorTimer,
    *,
    seconds: float,
    fresh: bool = False,
) -> dict[Operator, float]:
    """Return the times of operators on this machine, from the cache if it has them.

    The cache has one table for each timer, number of threads and device, which all spaces share and extend.
    """
    name = f"latency/operators-{_fingerprint(target, timer)}.json"
    kept: Mapping[Operator, float] = {} if fresh else _kept_times(name)
    wanted = list(operators)
    missing = [operator for operator in wanted if operator not in kept]
    calls = [{"name": each.name, "arguments": json.loads(each.arguments)} for each in missing]
    times = timer.times(calls, device=target.device, threads=target.threads, seconds=seconds)
    # An operator that a runtime merges into another one takes no time, and estimates divide by times.
    timed = {each: max(ms, LEAST_MS) for each, ms in zip(missing, times, strict=True) if ms is not None}
    if timed:
        write_cached(name, {"operators": OperatorTable({**kept, **timed}).as_list()})
    return {operator: ms for operator, ms in {**kept, **timed}.items() if operator in set(wanted)}


def _fingerprint(target: Target, timer: OperatorTimer) -> str:
    facts = dict(timer.facts())
    runtime = {"runtime": facts} if facts else {}
    return latency_fingerprint(device=target.device, threads=target.threads, **runtime)


def _kept_times(name: str) -> Mapping[Operator, float]:
    document = read_cached(name)
    try:
        return {} if document is None else OperatorTable.from_list(document["operators"]).times
    except (KeyError, TypeError, ValueError):
        return {}
