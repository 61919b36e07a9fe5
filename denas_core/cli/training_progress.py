"""Progress of a training on standard error: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from typing import Any

from denas_core.text import seconds

from .output import terminal_bar

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_MOVES = 0.2


class Lines:
    """Progress as plain lines: one an evaluation, and one when the last is some seconds old."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._total = self._step = self._first = self._epochs = 0
        self._began = self._shown = time.monotonic()
        self._loss = ""

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Say where it begins."""
        self._first = self._step = step
        self._total, self._epochs = total, epochs
        self._began = self._shown = time.monotonic()
        if step:
            _write(f"going on after step {step} of {total}")

    def stepped(self, step: int) -> None:
        """Print a line if the last one is some seconds old."""
        self._step = step
        if time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = time.monotonic()
            _write(f"{step / max(self._total, 1):4.0%} {self.line()}")

    def logged(self, row: Mapping[str, Any]) -> None:
        """Remember the loss, and print a line for an evaluation."""
        if "loss" in row:
            self._loss = f"loss {row['loss']:.4g}"
        if "metrics" in row:
            self._shown = time.monotonic()
            self._print(self.evaluated(row))

    def finished(self) -> None:
        """Do nothing: the last evaluation is printed."""

    def line(self) -> str:
        """Return the state in one line."""
        done = self._step - self._first
        elapsed = max(time.monotonic() - self._began, 1e-9)
        left = f"{seconds(elapsed * (self._total - self._step) / done)} left" if done else ""
        return ", ".join(part for part in (f"step {self._step} of {self._total}", self._loss, left) if part)

    def evaluated(self, row: Mapping[str, Any]) -> str:
        """Return an evaluation in one line."""
        metrics = {self._metric: row["metrics"][self._metric], **row["metrics"]}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in list(metrics.items())[:4])
        trained = f"{self._loss} in training; " if self._loss else ""
        return f"epoch {row['epoch']:g} of {self._epochs}: {trained}{shown}"

    def _print(self, text: str) -> None:
        _write(text)


class Bar(Lines):
    """Progress as a bar, with a line above it for each evaluation."""

    def __init__(self, metric: str) -> None:
        super().__init__(metric)
        self._bar: Any = None
        self._row: Any = None

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Show the bar."""
        super().started(step=step, total=total, epochs=epochs)
        self._bar = terminal_bar()
        self._bar.start()
        self._row = self._bar.add_task(self.line(), total=total, completed=step)

    def stepped(self, step: int) -> None:
        """Move the bar, now and then."""
        self._step = step
        now = time.monotonic()
        if now - self._shown >= SECONDS_BETWEEN_MOVES:
            self._shown = now
            self._bar.update(self._row, completed=step, description=self.line())

    def finished(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.update(self._row, completed=self._step, description=self.line())
            self._bar.stop()

    def _print(self, text: str) -> None:
        if self._bar is None:
            super()._print(text)
        else:
            self._bar.console.print(text, markup=False, highlight=False)


def progress_observer(metric: str) -> Lines:
    """Return the progress that suits standard error.

    Args:
        metric: Name of the metric to show first.
    """
    return Bar(metric) if sys.stderr.isatty() else Lines(metric)


def _write(text: str) -> None:
    # Nobody may read it any more, as behind 'head'; training goes on.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
