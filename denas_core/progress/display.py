"""Show on standard error how far something is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from denas_core.system.terminal import print_notice

SECONDS_BETWEEN_MOVES = 0.2


class LineDisplay:
    """Prints a line when the last one is some seconds old.

    Args:
        seconds: Seconds between two lines.
        has_last_line: Whether the last state gets a line too.
    """

    def __init__(self, seconds: float, *, has_last_line: bool = True) -> None:
        self._seconds = seconds
        self._has_last_line = has_last_line
        self._shown_at = time.monotonic()

    def start(self, share: float, state: Callable[[], str]) -> None:
        """Begin with a share of the work, from 0 to 1, and a description of the state."""

    def update(self, share: float, state: Callable[[], str]) -> None:
        """Show the state if the last one that was shown is old enough."""
        if time.monotonic() - self._shown_at >= self._seconds:
            self._move(share, state)

    def finish(self, share: float, state: Callable[[], str]) -> None:
        """Show the last state."""
        if self._has_last_line:
            self.print(f"{share:4.0%} {state()}")

    def print(self, text: str) -> None:
        """Print a line that stays."""
        self._shown_at = time.monotonic()
        print_notice(text)

    def _move(self, share: float, state: Callable[[], str]) -> None:
        """Show a state."""
        self.print(f"{share:4.0%} {state()}")


class BarDisplay(LineDisplay):
    """Moves a bar, and prints lines above it."""

    def __init__(self) -> None:
        super().__init__(SECONDS_BETWEEN_MOVES)
        self._bar: Any = None
        self._task: Any = None

    def start(self, share: float, state: Callable[[], str]) -> None:
        """Show the bar."""
        self._bar = _make_bar()
        self._bar.start()
        self._task = self._bar.add_task(state(), total=1.0, completed=share)

    def finish(self, share: float, state: Callable[[], str]) -> None:
        """Move the bar, and leave it there."""
        self._move(share, state)
        if self._bar is not None:
            self._bar.stop()

    def print(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is None:
            super().print(text)
        else:
            self._bar.console.print(text, markup=False, highlight=False)

    def _move(self, share: float, state: Callable[[], str]) -> None:
        if self._bar is not None:
            self._shown_at = time.monotonic()
            self._bar.update(self._task, completed=share, description=state())


def make_display(seconds: float, *, has_last_line: bool = True) -> LineDisplay:
    """Return the display that suits standard error: a bar in a terminal, else lines; see `LineDisplay`."""
    return BarDisplay() if sys.stderr.isatty() else LineDisplay(seconds, has_last_line=has_last_line)


def _make_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    console = Console(file=sys.stderr)
    bar = [BarColumn(bar_width=24 if console.width >= 100 else 8)] if console.width >= 60 else []
    return Progress(
        TextColumn("{task.percentage:3.0f}%", table_column=Column(min_width=4, no_wrap=True)),
        *bar,
        # Broken between words where it is too long.
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=False)),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )
