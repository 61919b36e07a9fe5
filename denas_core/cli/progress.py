"""Progress of a search on standard error: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.text import quantity

from .output import terminal_bar

if TYPE_CHECKING:
    from denas_core.study.study import Study
    from denas_core.values.trial import Trial

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_RANKINGS = 1.0


class Progress:
    """Follows a search and says how far it is; ranks at most once a second, since a ranking reads every trial.

    Attributes:
        path: The run directory, once the search has started.
        notices: What it has told the user already.
    """

    def __init__(self) -> None:
        self.path: Path | None = None
        self.notices: list[str] = []
        self._began = 0.0
        self._before = 0
        self._ranked_at = 0.0
        self._best = ""

    def started(self, study: Study) -> None:
        """Print where the run is and what it must keep to."""
        self.path = study.path
        self._began = time.monotonic()
        self._before = len(study.trials)
        sys.stderr.write(f"run: {study.path}\n")
        if study.trials:
            sys.stderr.write(f"going on after {len(study.trials)} trials\n")
        for metric, (low, high) in study.setup.ranges.items():
            sys.stderr.write(f"{metric} within reach: {quantity(low)} to {quantity(high)}\n")
        for notice in study.setup.notices:
            sys.stderr.write(f"note: {notice}\n")
        self.notices = list(study.setup.notices)
        sys.stderr.flush()

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Show the state."""

    def finished(self, study: Study) -> None:
        """Show the last state."""

    def line(self, study: Study) -> str:
        """Return the state in one line: counts, rate, best so far, time left."""
        elapsed = max(time.monotonic() - self._began, 1e-9)
        rate = (len(study.trials) - self._before) / elapsed
        counts = study.counts
        parts = [f"{counts['scored']} scored"]
        parts += [f"{counts[state]} {state}" for state in ("infeasible", "failed") if counts[state]]
        parts += [f"{rate:.1f}/s", self._best_so_far(study), _time_left(study)]
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


class Lines(Progress):
    """Progress as plain lines."""

    def __init__(self) -> None:
        super().__init__()
        self._printed = 0.0

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Print a line if the last one is some seconds old."""
        if time.monotonic() - self._printed >= SECONDS_BETWEEN_LINES:
            self.finished(study)

    def finished(self, study: Study) -> None:
        """Print a line."""
        self._printed = time.monotonic()
        self._ranked_at = 0.0
        sys.stderr.write(f"{study.progress():4.0%} {self.line(study)}\n")
        sys.stderr.flush()


class Bar(Progress):
    """Progress as a bar."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._task: Any = None

    def started(self, study: Study) -> None:
        """Show the bar."""
        super().started(study)
        self._bar = terminal_bar()
        self._bar.start()
        self._task = self._bar.add_task(self.line(study), total=1.0)

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=study.progress(), description=self.line(study))

    def finished(self, study: Study) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._ranked_at = 0.0
            self._bar.update(self._task, completed=study.progress(), description=self.line(study))
            self._bar.stop()


def progress_observer() -> Progress:
    """Return the progress that suits standard error."""
    return Bar() if sys.stderr.isatty() else Lines()


def _time_left(study: Study) -> str:
    budget, done = study.setup.budget, study.progress()
    if budget.seconds is not None:
        left = max(budget.seconds - study.active_seconds(), 0.0)
    elif done > 0:
        left = study.active_seconds() * (1 - done) / done
    else:
        return ""
    return f"{int(left // 60)}:{int(left % 60):02d} left"
