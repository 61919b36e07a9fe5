"""Timing one call, and how much of that time its thread waited for a core because of other work on the machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

INTERRUPTED = 0.01
"""A round counts as interrupted if its thread waited for a core for more than this share of it."""

_THREAD = Path("/proc/thread-self")
_TASKS = Path("/proc/self/task")


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """The time of one call.

    Attributes:
        ms: Milliseconds from its beginning to its end.
        waited_ms: Milliseconds of it in which it was ready to run and another program had the core.
        is_warm: Whether the call just before it was the same and was not interrupted. What other programs leave in the
            caches of the core slows down the call after an interruption.
    """

    ms: float
    waited_ms: float = 0.0
    is_warm: bool = True

    @property
    def own_ms(self) -> float:
        """Milliseconds without those in which it waited for a core."""
        return max(self.ms - self.waited_ms, 1e-6)

    @property
    def is_interrupted(self) -> bool:
        """Whether other work delayed the call."""
        return self.waited_ms > INTERRUPTED * self.ms


class Stopwatch:
    """Times calls in this thread. It is a context manager, to be entered when the calls have started their threads.

    Linux counts for each thread the time in which it was ready to run and had no core. Elsewhere this time is
    estimated: a call whose thread ran for less than the call took has waited for a core, unless it always waits, such
    as for a device.
    """

    def __init__(self, threads: int = 1) -> None:
        """Time calls that use a number of threads: of one, only the thread that calls can be interrupted."""
        self._threads = threads
        self._counters: list[int] = []
        self._gaps: dict[int, float] = {}

    def __enter__(self) -> Self:
        # Opening a file of /proc takes 0.1 ms, so the files stay open.
        tasks = sorted(_TASKS.glob("[0-9]*")) if self._threads > 1 else [_THREAD]
        for task in tasks:
            with contextlib.suppress(OSError):
                self._counters.append(os.open(task / "schedstat", os.O_RDONLY | os.O_CLOEXEC))
        return self

    def __exit__(self, *error: object) -> None:
        while self._counters:
            os.close(self._counters.pop())

    def now(self) -> float:
        """Return seconds since an arbitrary moment."""
        return time.perf_counter()

    def rest(self, seconds: float) -> None:
        """Sleep. A thread that has slept is given a whole time slice, in which it is less likely to be interrupted."""
        time.sleep(seconds)

    def time(self, call: Callable[[], object]) -> Round:
        """Run `call` once."""
        before = self._waited_ns()
        own = time.thread_time_ns()
        start = time.perf_counter_ns()
        call()
        taken = max(time.perf_counter_ns() - start, 1) / 1e6
        own_ms = (time.thread_time_ns() - own) / 1e6
        after = self._waited_ns()
        if before.keys() & after.keys():
            # Threads of one call wait at the same time.
            waited = max(after[thread] - before[thread] for thread in before.keys() & after.keys()) / 1e6
            # A wait between two readings of different clocks was no part of the call, but leaves the caches cold.
            return Round(max(taken, own_ms + waited), waited)
        gap = max(taken - own_ms, 0.0)
        least = self._gaps[id(call)] = min(gap, self._gaps.get(id(call), gap))
        return Round(taken, gap - least)

    def _waited_ns(self) -> dict[int, int]:
        """Return how long each thread has waited for a core so far; nothing where nobody counts it."""
        found = {}
        for counter in self._counters:
            # A thread that has ended has no counter any more.
            with contextlib.suppress(OSError, ValueError, IndexError):
                found[counter] = int(os.pread(counter, 128, 0).split()[1])
        return found
