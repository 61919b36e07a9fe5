"""Progress of a race."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.text import seconds
from denas_core.training.observers import LOG

from .display import LineDisplay, make_display

if TYPE_CHECKING:
    from denas_core.racing.race import Race, Rung
    from denas_core.racing.record import Racer

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_LOOKS = 1.0
LAST_BYTES = 2000


class RaceDisplay:
    """Follows a race: a line for each training that has ended, and the state in between.

    The trainings run in other processes, so a thread reads from their logs how far they are.

    Args:
        display: Where it is shown; by default on standard error.
    """

    def __init__(self, display: LineDisplay | None = None) -> None:
        self._display = display or make_display(SECONDS_BETWEEN_LINES, has_last_line=False)
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._race: Race | None = None
        self._rung: Rung | None = None
        self._began = time.monotonic()
        self._before: float | None = None

    def begun(self, race: Race) -> None:
        """Say how many networks and rungs there are."""
        self._race = race
        rungs, count = race.record.rungs, len(race.record.racers)
        trainings = " and ".join(
            [", ".join(map(str, rungs[:-1])), str(rungs[-1])] if len(rungs) > 1 else [str(rungs[0])]
        )
        self._display.print(
            f"{count} network{'s' if count > 1 else ''}, trainings of {trainings} epoch{'s' if rungs[-1] > 1 else ''}"
        )

    def rung_begun(self, rung: Rung) -> None:
        """Show where the race is."""
        with self._lock:
            self._rung = rung
        if self._thread is None:
            self._began, self._before = time.monotonic(), self._epochs()
            self._display.start(self._share(), self.line)
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()

    def training_done(self, rung: Rung, racer: Racer) -> None:
        """Print a line about the training."""
        assert self._race is not None
        metrics, name = racer.metrics(rung.epochs), self._race.record.metric.name
        ended = f"{name} {metrics[name]:.4g}" if metrics else f"failed: {racer.failure()}"
        with self._lock:
            epochs = f"{rung.epochs} epoch{'s' if rung.epochs > 1 else ''}"
            self._display.print(f"{epochs}, {racer.describe()} ({racer.key[:12]}): {ended}")

    def finished(self) -> None:
        """Stop looking."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._display.finish(self._share(), self.line)

    def line(self) -> str:
        """Return the state in one line: rung, trainings done, best so far, time left."""
        race, rung = self._race, self._rung
        assert race is not None and rung is not None
        results = [metrics for racer in rung.racers if (metrics := racer.metrics(rung.epochs))]
        done = sum(rung.epochs in racer.trainings for racer in rung.racers)
        parts = [
            f"rung {rung.number} of {len(race.record.rungs)}",
            f"{done} of {len(rung.racers)} trainings",
        ]
        if results:
            name, pick = race.record.metric.name, max if race.record.metric.direction == "maximize" else min
            parts.append(f"best {name} {pick(metrics[name] for metrics in results):.4g}")
        share = self._share()
        if share < 1 and (left := self._seconds_left()) is not None:
            parts.append(f"about {seconds(left)} left")
        return ", ".join(parts)

    def _look(self) -> None:
        while not self._end.wait(SECONDS_BETWEEN_LOOKS):
            with self._lock:
                self._display.update(self._share(), self.line)

    def _share(self) -> float:
        return min(self._epochs() / max(self._most(), 1e-9), 1.0)

    def _seconds_left(self) -> float | None:
        done = self._epochs() - (self._before or 0.0)
        if done <= 0:
            return None
        return (time.monotonic() - self._began) * max(self._most() - self._epochs(), 0.0) / done

    def _most(self) -> float:
        """Return the epochs of the whole race: those of its rungs so far, and at most so many of later ones."""
        race, rung = self._race, self._rung
        assert race is not None and rung is not None
        return (
            sum(self._of_earlier()) + len(rung.racers) * rung.epochs + sum(race.most_epochs()[rung.number :])
        )

    def _epochs(self) -> float:
        """Return the epochs that are trained."""
        rung = self._rung
        if rung is None:
            return 0.0
        now = 0.0
        for racer in rung.racers:
            is_done = rung.epochs in racer.trainings
            now += rung.epochs if is_done else min(epochs_of(rung.directories[racer.key]), rung.epochs)
        return sum(self._of_earlier()) + now

    def _of_earlier(self) -> list[int]:
        race, rung = self._race, self._rung
        assert race is not None and rung is not None
        earlier = race.record.rungs[: rung.number - 1]
        return [epochs for epochs in earlier for racer in race.record.racers if epochs in racer.trainings]


def epochs_of(directory: Path) -> float:
    """Return the epochs that a training has done according to its log; 0 if it has none."""
    try:
        with (directory / LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LAST_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return 0.0
    for line in reversed(lines):
        try:
            return float(json.loads(line)["epoch"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0.0
