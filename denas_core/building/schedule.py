"""The time of a build, and how its steps share it."""

from __future__ import annotations

import time

SHARES = {"search": 0.25, "race": 0.25, "training": 0.4, "end": 0.1}
"""The planned share of each phase in the time that is left after the preparation; ``end``: evaluation, export,
measurement and report."""

LEAST_SEARCH = 5.0
"""Seconds of the shortest search."""


class Schedule:
    """How much time is left. What a step leaves goes to the next one.

    Attributes:
        total: Seconds of the whole build.
        reserve: Seconds that the steps after the training need, as far as it is known; each step may renew it.
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

    def planned(self) -> dict[str, float]:
        """Return the seconds that each phase gets if every phase takes what it is given."""
        whole = max(self.total - self.prepared, 0.0)
        end = min(max(self.reserve, SHARES["end"] * whole), whole)
        # If the end needs more than its share, the others get less, each in proportion.
        long = 1 - SHARES["end"]
        return {name: share / long * (whole - end) for name, share in SHARES.items() if name != "end"} | {
            "end": end
        }

    def left(self, step: str) -> float:
        """Return the seconds until the end of ``search``, ``race`` or ``training``; 0 if that is over.

        The training gets everything but the reserve, which is known best by then.
        """
        planned = self.planned()
        end = {
            "search": self.prepared + planned["search"],
            "race": self.prepared + planned["search"] + planned["race"],
            "training": self.total - self.reserve,
        }[step]
        return max(end - self.elapsed(), 0.0)

    def until_end(self) -> float:
        """Return the seconds until the end of the build; 0 if that is over."""
        return max(self.total - self.elapsed(), 0.0)
