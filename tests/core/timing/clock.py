"""A clock that stands still except in the calls that it makes, and a stopwatch that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from denas_core.timing.stopwatch import Round, Stopwatch


class Clock:
    """Milliseconds, of those the ones in which the thread waited for a core, and of those the ones that it slept."""

    def __init__(self) -> None:
        self.ms = 0.0
        self.waited_ms = 0.0
        self.rested_ms = 0.0

    def call(self, *steps: float | tuple[float, float]) -> Callable[[], None]:
        """Return a call that takes these times in turn, again and again.

        Args:
            steps: Milliseconds of a call, or a pair: milliseconds on a core, and those in which it waits for one.
        """
        taken: Iterator[float | tuple[float, float]] = (step for _ in iter(int, 1) for step in steps)

        def call() -> None:
            step = next(taken)
            own, waited = step if isinstance(step, tuple) else (step, 0.0)
            self.ms += own + waited
            self.waited_ms += waited

        return call

    def stopwatch(self, threads: int) -> Stopwatch:
        """Return a stopwatch that reads this clock."""
        return ClockWatch(self)


class ClockWatch(Stopwatch):
    """Reads a `Clock` in place of those of the system."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> float:
        return self._clock.ms / 1e3

    def rest(self, seconds: float) -> None:
        self._clock.ms += seconds * 1e3
        self._clock.rested_ms += seconds * 1e3

    def time(self, call: Callable[[], object]) -> Round:
        start, waited = self._clock.ms, self._clock.waited_ms
        call()
        return Round(max(self._clock.ms - start, 1e-6), self._clock.waited_ms - waited)
