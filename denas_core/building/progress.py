"""What every step of a build needs: its request, design, record, schedule and observer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from denas_core.registry.registry import Registry

from .design import Design
from .observer import BuildObserver, Ticker
from .record import BuildRecord, Decision
from .request import BuildRequest
from .schedule import SHARES, Schedule

SEARCH, TRAINING = "search", "training"
"""Folders of the build: the run of its search with the race, and the training of the winner."""


SECONDS_BETWEEN_WRITES = 5.0


@dataclasses.dataclass(kw_only=True)
class Build:
    """A build in progress.

    Attributes:
        request: What the user asks.
        registry: The installed plugins.
        design: What was decided before work began.
        record: What was decided and done.
        schedule: How much time is left.
        observer: Who is told.
    """

    request: BuildRequest
    registry: Registry
    design: Design
    record: BuildRecord
    schedule: Schedule
    observer: BuildObserver

    @property
    def run(self) -> Path:
        """The run directory of the search."""
        return self.request.out / SEARCH

    @property
    def training(self) -> Path:
        """The directory of the training of the winner."""
        return self.request.out / TRAINING

    def ticker(self) -> Ticker:
        """Return an observer that writes how much time is spent, so that a kill loses little of that knowledge."""
        return Ticker(lambda: self.record.write(self.schedule.elapsed()), seconds=SECONDS_BETWEEN_WRITES)

    def decide(self, step: str, what: str, value: Any, reason: str) -> None:
        """Keep a decision, and tell the observer if it is new."""
        decision = Decision(step=step, what=what, value=value, reason=reason)
        if self.record.decide(decision):
            self.observer.decided(decision)

    @contextmanager
    def step(self, name: str, text: str, *, seconds: float | None = None) -> Iterator[dict[str, Any]]:
        """Tell the observer, and keep what the body puts into the mapping as the result of the step.

        Args:
            name: Name of the step.
            text: What is done in it.
            seconds: Seconds that it takes at most; None if it is short.
        """
        self.observer.step_begun(name, text, seconds=seconds)
        phase = name if name in SHARES else "end"
        left = self.schedule.until_end() if phase == "end" else self.schedule.left(phase)
        self.record.give(phase, left if seconds is None else seconds)
        began, result = self.schedule.elapsed(), dict[str, Any]()
        try:
            yield result
        except BaseException:
            self.record.write(self.schedule.elapsed())
            raise
        now = self.schedule.elapsed()
        self.record.use(phase, now)
        self.record.end_step(name, result, took=now - began, elapsed=now)
