"""What a training logs to trackers: the losses and rates of its steps, and the metrics of its evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from denas_core.tracking.experiment import Experiment
from denas_core.tracking.tracking import Tracking

from .observers import numbers_of
from .plan import Plan


class TrainingTracking:
    """An observer that logs the rows of a training to trackers."""

    def __init__(self, plan: Plan, directory: Path, *, notify: Callable[[str], object]) -> None:
        """Prepare the trackers that the settings name.

        Args:
            plan: The plan of the training, which is its configuration.
            directory: The directory of the training.
            notify: Called with a sentence for the user when a tracker fails.
        """
        document = {name: value for name, value in plan.as_dict().items() if name != "schema"}
        self._tracking = Tracking(
            plan.settings.trackers, Experiment.of(directory, "training", document), notify=notify
        )

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Start the trackers, or go on with them after `step`."""
        self._tracking.start(step=step)

    def stepped(self, step: int) -> None:
        """Do nothing: only rows are logged."""

    def logged(self, row: Mapping[str, Any]) -> None:
        """Log the numbers of a row, and its epoch."""
        self._tracking.log({**numbers_of(row), "epoch": row["epoch"]}, step=row["step"])

    def finished(self) -> None:
        """Close the trackers."""
        self._tracking.finish()
