"""Progress of a build on standard error: its steps, what it decides and why, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from denas_core.building.observer import BuildObserver
from denas_core.progress.race import RaceDisplay
from denas_core.progress.search import SearchProgress
from denas_core.progress.training import TrainingDisplay
from denas_core.text import seconds as duration

from .output import print_notice

if TYPE_CHECKING:
    from denas_core.building.record import Decision
    from denas_core.training.plan import Plan


class BuildDisplay(BuildObserver):
    """Prints a line for each step, each decision and each notice."""

    def __init__(self) -> None:
        self._notices: set[str] = set()
        self._search = SearchProgress()
        self._began = time.monotonic()

    def step_begun(self, step: str, text: str, *, seconds: float | None) -> None:
        """Print what is done now, and until when."""
        line = f"[{timedelta(seconds=round(time.monotonic() - self._began))}] {text}"
        if seconds is not None:
            until = datetime.now() + timedelta(seconds=seconds)
            line += f" (at most {duration(seconds)}, until {until:%H:%M:%S})"
        print_notice(line)

    def decided(self, decision: Decision) -> None:
        """Print the decision and its reason."""
        print_notice(f"  {decision.text()}")

    def noticed(self, text: str) -> None:
        """Print a sentence, once."""
        if text not in self._notices and text not in self._search.notices:
            self._notices.add(text)
            print_notice(f"  note: {text}")

    def of_search(self) -> Sequence[Any]:
        """Return the progress of the search."""
        return [self._search]

    def of_race(self) -> Sequence[Any]:
        """Return the progress of the race."""
        return [RaceDisplay()]

    def of_training(self, plan: Plan) -> Sequence[Any]:
        """Return the progress of the training."""
        return [TrainingDisplay(plan.task.metric.name, plan.settings)]
