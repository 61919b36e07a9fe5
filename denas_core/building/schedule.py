"""The time of a build, and how its steps share it."""

from __future__ import annotations

import time

ENDS = {"search": 0.25, "race": 0.5, "training": 0.9}
"""The share of the time at whose end each long step ends at the latest. What a step leaves goes to the next. The
time is that which is left after the preparation."""

SHARES = {"search": 0.25, "race": 0.25, "training": 0.4, "end": 0.1}
"""The share of the whole time that each step gets; ``end``: evaluation, export, measurement and report."""

LEAST_SEARCH = 5.0
"""Seconds of the shortest search."""


class Schedule:
    """How much time is left.

    Attributes:
        total: Seconds of the whole build.
        reserve: Seconds that the steps after training need at least.
        prepared: Seconds that the preparation took.
    """

    def __init__(
        self, total: float, *, spent: float = 0.0, reserve: float = 0.0, prepared: float = 0.0
    ) -> None:
        """Begin to count.

        Args:
            total: Seconds of the whole build.
            spent: Seconds of the build before it was stopped.
            reserve: See the attributes.
            prepared: See the attributes.
        """
        self.total, self.reserve, self.prepared = total, reserve, prepared
        self._spent, self._began = spent, time.monotonic()

    def elapsed(self) -> float:
        """Return the seconds of the build so far, also those before it was stopped."""
        return self._spent + time.monotonic() - self._began

    def left(self, step: str) -> float:
        """Return the seconds until the planned end of ``search``, ``race`` or ``training``; 0 if that is over."""
        whole = self.total - self.prepared
        # If the last steps need more than their share, the others get less, each in proportion.
        longest = whole - max(self.reserve, (1 - ENDS["training"]) * whole)
        end = self.prepared + ENDS[step] / ENDS["training"] * longest
        return max(end - self.elapsed(), 0.0)

    def until_end(self) -> float:
        """Return the seconds until the end of the build; 0 if that is over."""
        return max(self.total - self.elapsed(), 0.0)
