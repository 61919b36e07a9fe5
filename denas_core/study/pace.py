"""How a time budget is spent: the size of generations, the last candidate, and the reason for a late end."""

from __future__ import annotations

import statistics
import time
from collections import deque

from denas_core.values.objectives import Budget
from denas_core.values.trial import Trial

DECIDED_AFTER = 0.1
"""Share of the budget, from the first result on, after which the number of candidates per second is known."""

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
        self._latest_at = self._first_at = time.monotonic()
        self._results = 0

    def start(self) -> None:
        """Start to measure."""
        self._latest_at = self._first_at = time.monotonic()
        self._results = 0

    def remember(self, trial: Trial) -> None:
        """Record how long a trial took, also one from an earlier part of the run."""
        if trial.is_scored:
            self._durations.append(sum(trial.evaluation.seconds.values()))

    def result_arrived(self) -> None:
        """Record that the result of a candidate is there. Trials are stored in order, so that some results wait."""
        self._results += 1
        if self._results == 1:
            self._first_at = time.monotonic()

    def trial_done(self, trial: Trial) -> None:
        """Record a trial that has just ended."""
        self.remember(trial)
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

    def expected_trials(self, trials: int, active_seconds: float) -> float | None:
        """Return how many trials the run will have when its time is spent; None while the rate is unknown.

        Args:
            trials: Number of trials of the run so far.
            active_seconds: Seconds of the budget that are spent.
        """
        # Before the first result, workers start and import what they need.
        passed = time.monotonic() - self._first_at
        if self._results < 2 or passed <= 0 or passed < DECIDED_AFTER * self._limit:
            return None
        rate = (self._results - 1) / passed
        return trials + rate * max(self._limit - active_seconds, 0.0)

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
