"""Signals: the first one ends a run after the current candidate, the second one ends it at once."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

Handler = Any
"""A handler as `signal.signal` takes and returns it."""

SECONDS_BETWEEN_TRIES = 0.2
"""Seconds after which a time limit tries again to stop what runs."""

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interruption:
    """Whether a signal has asked the run to stop.

    Attributes:
        signal_number: The first signal received; 0 while there is none.
        on_first: Called by the signal handler when the first signal arrives.
    """

    def __init__(self) -> None:
        self.signal_number = 0
        self.on_first: Callable[[], object] | None = None
        self._before: dict[int, Handler] = {}

    def __bool__(self) -> bool:
        return self.signal_number != 0

    def until_signal(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, but no further one after a signal has arrived."""
        for item in items:
            if self:
                return
            yield item

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number:
            before = self._before.get(number)
            if callable(before):
                before(number, frame)
            raise KeyboardInterrupt
        self.signal_number = number
        if self.on_first is not None:
            self.on_first()


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Record signals while the body runs. Outside the main thread this does nothing, as Python delivers none there."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    with _handled(interruption._receive) as interruption._before:
        yield interruption


@dataclasses.dataclass(slots=True)
class TimeLimit:
    """A limit of `time_limit`.

    Attributes:
        is_reached: Whether it has stopped the body.
    """

    is_reached: bool = False


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Stop the body after some seconds, as a first signal would: what is `interruptible` in it ends, and can go on.

    Outside the main thread, and where the system has no timers, there is no limit.
    """
    limit = TimeLimit()

    def stop(number: int, frame: FrameType | None) -> None:
        receiver = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
        if not isinstance(receiver, Interruption):
            # Nothing that can be stopped is running at this moment.
            signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_TRIES)
        elif not receiver:
            limit.is_reached = True
            receiver._receive(signal.SIGTERM, frame)

    with _alarm(max(seconds, SECONDS_BETWEEN_TRIES), stop):
        yield limit


@contextlib.contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """End the body after some seconds, wherever Python code runs in it.

    Outside the main thread, and where the system has no timers, there is no limit.

    Raises:
        TimeoutError: the body was ended.
    """
    is_reached = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal is_reached
        is_reached = True
        # Libraries handle errors of their own code, and let this one pass.
        raise KeyboardInterrupt

    try:
        with _alarm(max(seconds, SECONDS_BETWEEN_TRIES), end):
            yield
    except KeyboardInterrupt:
        if not is_reached:
            raise
        raise TimeoutError(f"it took longer than {seconds:g} s") from None


@contextlib.contextmanager
def _alarm(seconds: float, ring: Handler) -> Iterator[None]:
    """Call `ring` after some seconds of the body, as a handler of signals, where that is possible."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def stoppable() -> Iterator[Interruption]:
    """Let any signal end the body with a `KeyboardInterrupt`, and record which signal it was."""
    interruption = Interruption()

    def stop(number: int, frame: FrameType | None) -> None:
        interruption.signal_number = number
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    with _handled(stop):
        yield interruption


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[dict[int, Handler]]:
    # A signal that the caller ignores, as nohup does with SIGHUP, stays ignored. Python cannot restore a handler that
    # is None.
    handled = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before: dict[int, Handler] = {number: signal.signal(number, handler) for number in handled}
    try:
        yield before
    finally:
        for number, old in before.items():
            signal.signal(number, old)
