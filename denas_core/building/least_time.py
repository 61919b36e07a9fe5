"""Whether the time is enough for a build of the smallest network, asked whenever more of what it needs is known."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager

from denas_core.errors import ConfigError
from denas_core.system.interrupt import ended_after
from denas_core.text import seconds as duration

from .pace import Pace
from .request import BuildRequest
from .schedule import LEAST_SEARCH, Schedule

FEWEST_STEPS = 60
"""Steps of the shortest training that makes sense; an epoch of few data may have fewer."""

SECONDS_OF_MEASUREMENT = 12.0
"""Seconds that the measurement of an exported file takes at most."""

SECONDS_OF_REPORT = 4.0
LONGER_EXPORT = 2.0
"""How many times as long as that of the smallest network an export may take."""

LONGER_EVALUATION = 2.0
"""How many times as long as it was measured or estimated an evaluation may take."""

ADVISED = 1.5
"""How many times as long as what is known to be needed is advised to a user whose time is too short."""


@dataclasses.dataclass(slots=True, kw_only=True)
class LeastTime:
    """The seconds that a build needs at least: for a search, a short training of the smallest network, and the end.

    Attributes:
        request: What the user asks.
        schedule: The time so far.
        space: Id of the space.
        pace: The speed of the training of its smallest network.
        reading: Seconds that it takes to read the data.
        exports: Seconds that the exports tried so far have taken, one of each form.
    """

    request: BuildRequest
    schedule: Schedule
    space: str
    pace: Pace
    reading: float
    exports: float = 0.0

    @property
    def steps(self) -> int:
        """Steps of the shortest training."""
        return min(self.pace.steps, FEWEST_STEPS)

    @property
    def training(self) -> float:
        """Seconds of the shortest training, with one evaluation."""
        return self.steps * self.pace.batch + self.pace.evaluation

    @property
    def reserve(self) -> float:
        """Seconds after the training, without the evaluation."""
        measurements = len(self.request.forms) * SECONDS_OF_MEASUREMENT
        return self.reading + LONGER_EXPORT * self.exports + measurements + SECONDS_OF_REPORT

    @property
    def spare(self) -> float:
        """Seconds that are left beyond what is known to be needed; negative if the time is too short."""
        needed = LEAST_SEARCH + self.training + self.reserve + LONGER_EVALUATION * self.pace.evaluation
        return self.schedule.until_end() - needed

    def check(self) -> None:
        """Check that the time is enough, as far as it is known.

        Raises:
            ConfigError: it is not; says what is needed.
        """
        if self.spare >= 0:
            return
        needed = self.request.seconds - self.spare
        raise ConfigError(
            f"{self._too_short()}: {self.steps} steps of training of the smallest network of {self.space} take "
            f"{duration(self.training)} on this machine, and search, export and measurements "
            f"{duration(needed - self.training)}; give at least --time {math.ceil(ADVISED * needed)}s"
        )

    @contextmanager
    def trial(self, form: str) -> Iterator[None]:
        """Run the trial of an export, and end it when it has taken so long that the time cannot be enough.

        The trial counts with what the export at the end needs then.

        Raises:
            ConfigError: it was ended.
        """
        most, began = self.spare / (1 + LONGER_EXPORT), self.schedule.elapsed()
        try:
            with ended_after(most):
                yield
        except TimeoutError:
            advised = math.ceil(ADVISED * self.request.seconds)
            raise ConfigError(
                f"{self._too_short()}: an export of the smallest network of {self.space} to {form} takes more than "
                f"{duration(most)} on this machine, once now and once for the result; give at least --time {advised}s"
            ) from None
        self.exports += self.schedule.elapsed() - began
        self.check()

    def _too_short(self) -> str:
        return f"{duration(self.request.seconds)} is too short for {str(self.request.data)!r}"
