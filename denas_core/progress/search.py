"""Progress of a search."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.text import quantity, seconds
from denas_core.values.trial import STATES

from .display import LineDisplay, make_display

if TYPE_CHECKING:
    from denas_core.study.study import Study
    from denas_core.values.trial import Trial

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_RANKINGS = 1.0
LEAST_SECONDS = 1.0
"""Less time than this is not worth a word."""


class SearchProgress:
    """Follows a search and says how far it is; ranks at most once a second, because a ranking reads every trial.

    Args:
        display: Where it is shown; by default on standard error.

    Attributes:
        path: The run directory, once the search has started.
        notices: What it has printed already.
    """

    def __init__(self, display: LineDisplay | None = None) -> None:
        self.path: Path | None = None
        self.notices: list[str] = []
        self._display = display or make_display(SECONDS_BETWEEN_LINES)
        self._began = 0.0
        self._before = 0
        self._ranked_at = 0.0
        self._best = ""
        self._calibrated = 0
        self._measured: int | None = None

    def calibrating(self, done: int, total: int) -> None:
        """Say that networks are measured for a model that predicts latencies."""
        if self._calibrated == 0:
            self._display.print(f"measuring up to {total} networks for a model that predicts latencies")
            self._calibrated = total

    def measuring(self, study: Study, count: int) -> None:
        """Show that finalists are measured."""
        self._measured = count
        self._display.update(study.progress(), lambda: self.line(study))

    def started(self, study: Study) -> None:
        """Print where the run is and what limits it."""
        self.path = study.path
        self._began = time.monotonic()
        self._before = len(study.trials)
        self._display.print(f"run: {study.path}")
        if study.trials:
            self._display.print(f"going on after {len(study.trials)} trials")
        for metric, (low, high) in study.setup.ranges.items():
            self._display.print(f"{metric} within reach: {quantity(low)} to {quantity(high)}")
        for notice in study.setup.notices:
            self._display.print(f"note: {notice}")
        self.notices = list(study.setup.notices)
        if workers := study.setup.executor.describe():
            self._display.print(workers)
        self._display.start(study.progress(), lambda: self.line(study))

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Show the state."""
        self._display.update(study.progress(), lambda: self.line(study))

    def finished(self, study: Study) -> None:
        """Show the last state."""
        self._ranked_at = 0.0
        self._display.finish(study.progress(), lambda: self.line(study))

    def line(self, study: Study) -> str:
        """Return the state in one line: counts, rate, best so far, time left."""
        elapsed = max(time.monotonic() - self._began, 1e-9)
        rate = (len(study.trials) - self._before) / elapsed
        counts = study.counts
        if self._measured is not None:
            return f"{counts['scored']} scored, measuring finalists: {self._measured} measured"
        parts = [f"{counts['scored']} scored"]
        parts += [f"{counts[state]} {state}" for state in STATES[1:] if counts.get(state)]
        parts += [
            f"{rate:.1f}/s",
            study.setup.executor.describe(),
            self._best_so_far(study),
            _time_left(study),
        ]
        return ", ".join(part for part in parts if part)

    def _best_so_far(self, study: Study) -> str:
        now = time.monotonic()
        if now - self._ranked_at >= SECONDS_BETWEEN_RANKINGS:
            best, _ = study.best()
            if best is not None:
                params = best.evaluation.metrics.get("params")
                self._best = f"best {best.arch.key[:8]}" + (f" ({quantity(params)} params)" if params else "")
            self._ranked_at = now
        return self._best


def _time_left(study: Study) -> str:
    budget, done = study.setup.budget, study.progress()
    if budget.seconds is not None:
        left = max(budget.seconds - study.active_seconds(), 0.0)
    elif done > 0:
        left = study.active_seconds() * (1 - done) / done
    else:
        return ""
    return f"{seconds(left)} left" if left >= LEAST_SECONDS else ""
