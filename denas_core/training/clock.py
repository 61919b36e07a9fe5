"""The time that a training has spent, which all its processes see alike."""

from __future__ import annotations

import time

from denas_core.text import parse_seconds
from denas_core.text import seconds as duration

from .processes import world_size
from .progress import TrainingProgress
from .settings import TrainingSettings


class TrainingClock:
    """Measures a training, earlier parts of a resumed one included, and says when its time is over.

    Attributes:
        limit: Seconds after which the training ends; None for no limit.
    """

    def __init__(self, progress: TrainingProgress, settings: TrainingSettings) -> None:
        """Start the clock.

        Args:
            progress: Its ``seconds`` are what was spent before, and what `settle` adds.
            settings: The settings of the training.
        """
        self.limit = parse_seconds(settings.max_time) if settings.max_time else None
        self._progress = progress
        self._since = time.monotonic()
        self._evaluation = 0.0

    def settle(self) -> None:
        """Add the time since the last call to the progress."""
        now = time.monotonic()
        self._progress.seconds += now - self._since
        self._since = now

    def evaluated(self, seconds: float) -> None:
        """Remember how long an evaluation took: time for the last one is kept free."""
        self._evaluation = seconds

    def share(self) -> float:
        """Return the share of the time that is spent, from 0 to 1; 0 without a limit.

        All processes get the share of the first one, because the learning rate depends on it.
        """
        if self.limit is None:
            return 0.0
        spent = self._progress.seconds + time.monotonic() - self._since
        share = min((spent + self._evaluation) / self.limit, 1.0)
        if world_size() == 1:
            return share
        import torch

        shared = [share]
        torch.distributed.broadcast_object_list(shared, src=0)
        return shared[0]

    def why_over(self, share: float) -> str:
        """Return why training stops at this share of its time; empty if it goes on."""
        if self.limit is None or share < 1:
            return ""
        return f"its time of {duration(self.limit)} (training.max_time) is over"
