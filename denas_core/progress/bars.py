"""Bars of tqdm, where somebody looks at them: in a notebook or in a terminal, and nowhere else."""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .display import SECONDS_BETWEEN_MOVES, LineDisplay
from .race import RaceDisplay
from .search import SearchProgress
from .training import TrainingDisplay

if TYPE_CHECKING:
    from denas_core.training.settings import TrainingSettings


class TqdmDisplay(LineDisplay):
    """Moves a bar of tqdm. Lines that stay are left out, because the result has what they say."""

    def __init__(self) -> None:
        super().__init__(SECONDS_BETWEEN_MOVES)
        self._bar: Any = None

    def start(self, share: float, state: Callable[[], str]) -> None:
        """Show the bar."""
        if self._bar is None:
            self._bar = _make_bar()
        self._move(share, state)

    def finish(self, share: float, state: Callable[[], str]) -> None:
        """Move the bar, and leave it there."""
        if self._bar is not None:
            self._move(share, state)
            self._bar.close()
            self._bar = None

    def print(self, text: str) -> None:
        """Do nothing."""

    def _move(self, share: float, state: Callable[[], str]) -> None:
        if self._bar is not None:
            self._shown_at = time.monotonic()
            self._bar.set_description_str(state(), refresh=False)
            self._bar.n = min(share, 1.0)
            self._bar.refresh()


def bar_of_search(progress: bool) -> list[SearchProgress]:
    """Return the observer of a search that shows a bar; none if nobody would see it, or `progress` is false."""
    return [SearchProgress(TqdmDisplay())] if progress and can_show_bars() else []


def bar_of_training(
    progress: bool, metric: str, settings: TrainingSettings | None = None
) -> list[TrainingDisplay]:
    """Return the observer of a training that shows a bar, as `bar_of_search` does.

    Args:
        progress: Whether the user wants one.
        metric: Name of the metric of the task.
        settings: The settings of the training.
    """
    return [TrainingDisplay(metric, settings, TqdmDisplay())] if progress and can_show_bars() else []


def bar_of_race(progress: bool) -> list[RaceDisplay]:
    """Return the observer of a race that shows a bar, as `bar_of_search` does."""
    return [RaceDisplay(TqdmDisplay())] if progress and can_show_bars() else []


def can_show_bars() -> bool:
    """Return whether tqdm is installed, and standard error is a terminal or belongs to a notebook."""
    if importlib.util.find_spec("tqdm") is None:
        return False
    return is_in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def is_in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    # IPython is asked only if something has imported it: a kernel has.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


def _make_bar() -> Any:
    # Without ipywidgets, tqdm warns and shows the bar as text.
    with warnings.catch_warnings(action="ignore"):
        from tqdm.auto import tqdm  # type: ignore[import-untyped]
    return tqdm(
        total=1.0,
        file=sys.stderr,
        dynamic_ncols=True,
        bar_format="{percentage:3.0f}% |{bar:20}| {desc}",
        leave=True,
    )
