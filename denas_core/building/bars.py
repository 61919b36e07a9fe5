"""Bars for the long steps of a build: its search, its race and its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_core.progress.bars import bar_of_race, bar_of_search, bar_of_training, can_show_bars

from .observer import BuildObserver

if TYPE_CHECKING:
    from denas_core.training.plan import Plan


class BuildBars(BuildObserver):
    """Shows a bar for each long step."""

    def of_search(self) -> Sequence[Any]:
        """Return the bar of the search."""
        return bar_of_search(True)

    def of_race(self) -> Sequence[Any]:
        """Return the bar of the race."""
        return bar_of_race(True)

    def of_training(self, plan: Plan) -> Sequence[Any]:
        """Return the bar of the training."""
        return bar_of_training(True, plan.task.metric.name, plan.settings)


def observer_of_build(progress: bool) -> BuildObserver:
    """Return the observer of a build: bars, or none if nobody would see them, or `progress` is false."""
    return BuildBars() if progress and can_show_bars() else BuildObserver()
