"""What a search logs to trackers: the best score so far, and components and metrics of each scored candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.tracking.experiment import Experiment
from denas_core.tracking.tracking import Tracking
from denas_core.values.trial import Trial

if TYPE_CHECKING:
    from pathlib import Path

    from denas_core.setup.setup import Setup

    from .study import Study

RANKED = 200
"""Among so many scored candidates, the best is found after each one; later after each of as many equal parts."""


class SearchTracking:
    """An observer that logs a search. It has started its trackers before the search begins."""

    def __init__(self, setup: Setup, path: Path, *, trials: int) -> None:
        """Start the trackers that the configuration names.

        Args:
            setup: The objects of the search. Its notices get one for each tracker that fails.
            path: The run directory.
            trials: Number of trials that are stored already.
        """
        document = setup.config.as_dict()
        self._tracking = Tracking(
            setup.config.search.trackers,
            Experiment.of(path, "search", {**document, "out": None}),
            notify=setup.notices.append,
        )
        # The trial with the number 0 has the step 1, as the first step of a training has.
        self._tracking.start(step=trials)

    def started(self, study: Study) -> None:
        """Send later notices to the search, which has its own list."""
        self._tracking.notify = study.notices.append

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Log a scored candidate, and how many there are of each state."""
        values = {f"trials/{state}": float(count) for state, count in study.counts.items()}
        if trial.is_scored:
            values |= {f"component/{name}": value for name, value in trial.evaluation.components.items()}
            values |= {f"candidate/{name}": value for name, value in trial.evaluation.metrics.items()}
            values |= self._best(study)
        self._tracking.log(values, step=trial.index + 1)

    def finished(self, study: Study) -> None:
        """Close the trackers."""
        self._tracking.finish()

    def _best(self, study: Study) -> dict[str, float]:
        # A ranking reads every trial, so that one after each of many thousand candidates would take too long.
        if study.counts["scored"] % (1 + study.counts["scored"] // RANKED):
            return {}
        best, score = study.best()
        if best is None:
            return {}
        return {
            "best/score": score,
            "best/trial": float(best.index),
            **{f"best/{name}": value for name, value in best.evaluation.metrics.items()},
        }
