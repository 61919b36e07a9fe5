"""Progress of a known amount of work on standard error."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from denas_core.progress.display import make_display
from denas_core.text import seconds

SECONDS_BETWEEN_LINES = 5.0


class WorkProgress:
    """Shows how much of the work is done, and how long the rest takes at that rate; use it with ``with``."""

    def __init__(self, what: str) -> None:
        """Say what is counted, such as ``networks``."""
        self._what = what
        self._display = make_display(SECONDS_BETWEEN_LINES)
        self._began: float | None = None
        self._before = self._done = self._total = 0

    def __call__(self, done: int, total: int) -> None:
        """Show that so many of all are done."""
        self._done, self._total = done, total
        if self._began is None:
            # What is loaded for the first one, such as torch, says nothing of the others.
            self._began, self._before = time.monotonic(), done
            self._display.start(done / total, self._line)
        else:
            self._display.update(done / total, self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._began is not None:
            self._display.finish(self._done / self._total, self._line)

    def _line(self) -> str:
        measured = self._done - self._before
        line = f"{self._done} of {self._total} {self._what}"
        if self._began is None or not measured or self._done == self._total:
            return line
        left = (self._total - self._done) * (time.monotonic() - self._began) / measured
        return f"{line}, {seconds(left)} left"
