"""Who is told how a build goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .record import Decision

if TYPE_CHECKING:
    from denas_core.training.plan import Plan


class Ticker:
    """An observer of any step that calls a function now and then, whatever it is told."""

    def __init__(self, tick: Callable[[], object], *, seconds: float) -> None:
        """Call `tick` not more often than every so many seconds."""
        self._tick, self._between = tick, seconds
        self._last = time.monotonic()

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._told

    def _told(self, *_: object, **__: object) -> None:
        if time.monotonic() - self._last >= self._between:
            self._last = time.monotonic()
            self._tick()


class BuildObserver:
    """Is told how a build goes on; each method does nothing by default."""

    def step_begun(self, step: str, text: str, *, seconds: float | None) -> None:
        """A step begins.

        Args:
            step: Its name.
            text: What is done in it.
            seconds: Seconds that it takes at most, as planned; None if it is short.
        """

    def decided(self, decision: Decision) -> None:
        """Something was decided."""

    def noticed(self, text: str) -> None:
        """There is a sentence for the user."""

    def of_search(self) -> Sequence[Any]:
        """Return observers of the search, see `denas_core.study.study.Observer`."""
        return ()

    def of_race(self) -> Sequence[Any]:
        """Return observers of the race, see `denas_core.racing.race.RaceObserver`."""
        return ()

    def of_training(self, plan: Plan) -> Sequence[Any]:
        """Return observers of the training, see `denas_core.training.observers.TrainingObserver`."""
        return ()
