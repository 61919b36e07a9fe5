"""Progress as a line on standard error, now and then."""

from __future__ import annotations

import time

from .output import print_notice

SECONDS_BETWEEN_LINES = 5.0


class ProgressLines:
    """Says how much of a known amount of work is done, and how long the rest takes at that rate."""

    def __init__(self, what: str) -> None:
        """Say what is counted, such as ``networks``."""
        self._what = what
        self._began = self._printed = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Print a line if the last one is some seconds old."""
        now = time.monotonic()
        if done == 1:
            # What is loaded for the first one, such as torch, says nothing of the others.
            self._began = self._printed = now
        if now - self._printed < SECONDS_BETWEEN_LINES:
            return
        self._printed = now
        left = (total - done) * (now - self._began) / (done - 1)
        print_notice(f"{done} of {total} {self._what}, {int(left // 60)}:{int(left % 60):02d} left")
