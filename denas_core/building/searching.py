"""The step of a build that searches."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from denas_core.errors import NoResult
from denas_core.launch import resume_search, run_search
from denas_core.results.result import SearchResult
from denas_core.runs.files import is_run, read_run
from denas_core.system.atomic import storage_errors
from denas_core.values.objectives import Budget

from .progress import Build
from .schedule import LEAST_SEARCH


def search_step(build: Build) -> None:
    """Search the space, or go on with the search.

    Raises:
        Infeasible, NoResult: no network keeps the bounds.
        Interrupted: a signal stopped the search.
    """
    if build.record.done("search"):
        return
    seconds = max(build.schedule.left("search"), LEAST_SEARCH)
    with build.step("search", f"search {build.design.config.space.name}", seconds=seconds) as result:
        found = _search(build, seconds)
        for notice in found.notices:
            build.observer.noticed(notice)
        best = found.describe(found.best)
        result |= {
            "run": build.run.name,
            "trials": dict(found.counts),
            "best": best["key"],
            "metrics": best["metrics"],
            "notices": list(found.notices),
        }


def _search(build: Build, seconds: float) -> SearchResult:
    """Search. If the time is over before one candidate is scored, as on a busy machine, it gets more time."""
    while True:
        try:
            return _search_for(build, seconds)
        except NoResult:
            more = min(2 * seconds, build.schedule.until_end() / 4)
            if (
                build.design.budget is not None
                or not is_run(build.run)
                or _has_trials(build.run)
                or more < LEAST_SEARCH
            ):
                raise
            build.observer.noticed("no network was scored in the time of the search, so that it gets more")
            seconds += more


def _has_trials(run: Path) -> bool:
    with read_run(run) as store:
        return bool(store.trials())


def _search_for(build: Build, seconds: float) -> SearchResult:
    observers = [*build.observer.of_search(), build.ticker()]
    if is_run(build.run):
        return resume_search(
            build.run,
            lambda stored: {**stored, "budget": _larger(stored["budget"], seconds)},
            registry=build.registry,
            observers=observers,
        )
    with storage_errors(build.run):
        if build.run.exists():
            # A kill came before the first candidate was stored.
            shutil.rmtree(build.run)
    changed: dict[str, Any] = {"out": str(build.run)}
    if build.design.budget is None:
        changed["budget"] = f"{seconds:.0f}s"
    return run_search(build.design.config.model_copy(update=changed), build.registry, observers=observers)


def _larger(before: str | int, seconds: float) -> str | int:
    """Return the budget of a search that goes on: what it had, or the seconds that it has by now."""
    had = Budget.parse(before).seconds
    return before if had is None or had >= seconds else f"{seconds:.0f}s"
