"""Progress of a training."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.text import parse_seconds, seconds

from .display import LineDisplay, make_display

if TYPE_CHECKING:
    from denas_core.training.settings import TrainingSettings

SECONDS_BETWEEN_LINES = 10.0


class TrainingDisplay:
    """Follows a training: a line for each evaluation, and the state in between.

    Args:
        metric: Name of the metric to show first.
        settings: The settings of the training.
        display: Where it is shown; by default on standard error.
    """

    def __init__(
        self, metric: str, settings: TrainingSettings | None = None, display: LineDisplay | None = None
    ) -> None:
        self._metric = metric
        self._limit = parse_seconds(settings.max_time) if settings and settings.max_time else None
        self._display = display or make_display(SECONDS_BETWEEN_LINES, has_last_line=False)
        self._total = self._step = self._first = self._epochs = 0
        self._began = time.monotonic()
        self._loss = ""

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Say where it begins."""
        self._first = self._step = step
        self._total, self._epochs = total, epochs
        self._began = time.monotonic()
        if step:
            self._display.print(f"going on after step {step} of {total}")
        self._display.start(self._share(), self.line)

    def stepped(self, step: int) -> None:
        """Show the state now and then."""
        self._step = step
        self._display.update(self._share(), self.line)

    def logged(self, row: Mapping[str, Any]) -> None:
        """Remember the loss, and print a line for an evaluation."""
        if "loss" in row:
            self._loss = f"loss {row['loss']:.4g}"
        if "metrics" in row:
            self._display.print(self.evaluated(row))

    def finished(self) -> None:
        """Leave a bar as it is; a line for the last evaluation is there already."""
        self._display.finish(self._share(), self.line)

    def line(self) -> str:
        """Return the state in one line."""
        done = self._step - self._first
        elapsed = max(time.monotonic() - self._began, 1e-9)
        left = elapsed * (self._total - self._step) / done if done else 0.0
        if self._limit is not None and left:
            left = min(left, max(self._limit - elapsed, 0.0))
        end = time.strftime("%H:%M", time.localtime(time.time() + left))
        parts = [
            f"step {self._step} of {self._total}",
            self._loss,
            f"{seconds(left)} left (until {end})" if left else "",
        ]
        return ", ".join(part for part in parts if part)

    def evaluated(self, row: Mapping[str, Any]) -> str:
        """Return an evaluation in one line."""
        metrics = {self._metric: row["metrics"][self._metric], **row["metrics"]}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in list(metrics.items())[:4])
        trained = f"{self._loss} in training; " if self._loss else ""
        return f"epoch {row['epoch']:.4g} of {self._epochs}: {trained}{shown}"

    def _share(self) -> float:
        share = self._step / max(self._total, 1)
        if self._limit is None:
            return share
        # A limit of time usually ends a training before its last step.
        return max(share, min((time.monotonic() - self._began) / self._limit, 1.0))
