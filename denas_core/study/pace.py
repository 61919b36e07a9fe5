"""How a time budget is spent: the size of generations, the last candidate, and the reason for a late end."""

from __future__ import annotations

import statistics
import time
from collections import deque

from denas_core.values.objectives import Budget
from denas_core.values.trial import Trial

GENERATIONS = 5
"""Generations that a time budget should allow: the four that are promised, and one as the rate is an estimate."""

SMALLEST = 2
"""Size of the smallest generation: one random candidate, and one made from the best so far."""

DECIDED_AFTER = 0.1
"""Share of the budget after which the number of candidates per second is known well enough."""

NOTABLE_SECONDS, NOTABLE_SHARE = 1.0, 0.02
"""A delay is reported if it is longer than this number of seconds and this share of the budget."""

RECENT = 50


class Pace:
    """Measures how long candidates take, and compares it with the budget.

    Args:
        budget: The budget of the search.
        reserved: Seconds of a time budget that are left for the measurements after the last candidate.
    """

    def __init__(self, budget: Budget, *, reserved: float = 0.0) -> None:
        self._budget = budget
        self._limit = (budget.seconds or 0.0) - reserved
        self._durations: deque[float] = deque(maxlen=RECENT)
        self._latest = ("", 0.0)
        self._latest_at = self._began = time.monotonic()
        self._done = 0

    def start(self) -> None:
        """Start to measure."""
        self._latest_at = self._began = time.monotonic()
        self._done = 0

    def remember(self, trial: Trial) -> None:
        """Record how long a trial took, also one from an earlier part of the run."""
        if trial.is_scored:
            self._durations.append(sum(trial.evaluation.seconds.values()))

    def trial_done(self, trial: Trial) -> None:
        """Record a trial that has just ended."""
        self.remember(trial)
        self._done += 1
        self.step(f"trial {trial.index}")

    def step(self, what: str) -> None:
        """Record the end of a step, which began when the step before it ended."""
        now = time.monotonic()
        self._latest, self._latest_at = (what, now - self._latest_at), now

    def is_spent(self, active_seconds: float) -> bool:
        """Return whether a time budget is spent, or another candidate would probably exceed it noticeably."""
        limit = self._limit
        typical = statistics.median(self._durations) if self._durations else 0.0
        return active_seconds >= limit or (self._is_notable(typical) and active_seconds + typical > limit)

    def choose_size(self, full: int, trials: int, active_seconds: float) -> int | None:
        """Return a size of generations that allows several of them; None while the rate is unknown.

        Args:
            full: The size that the strategy wants, which is the upper limit.
            trials: Number of trials of the run so far.
            active_seconds: Seconds of the budget that are spent.
        """
        limit = self._limit
        if not self._done or active_seconds < DECIDED_AFTER * limit:
            return None
        rate = self._done / max(time.monotonic() - self._began, 1e-9)
        expected = trials + rate * max(limit - active_seconds, 0.0)
        return min(full, max(SMALLEST, int(expected / GENERATIONS)))

    def describe_delay(self, active_seconds: float) -> str | None:
        """Return a sentence if the search took noticeably longer than its budget, else None."""
        limit = self._budget.seconds
        if limit is None or not self._is_notable(active_seconds - limit):
            return None
        what, seconds = self._latest
        return (
            f"the search took {active_seconds:.3g} s, more than its budget of {self._budget}: the last step, {what}, "
            f"took {seconds:.3g} s and cannot be cut short"
        )

    def _is_notable(self, seconds: float) -> bool:
        return seconds > max(NOTABLE_SECONDS, NOTABLE_SHARE * (self._budget.seconds or 0.0))
