"""A list of the runs in a directory with their state, progress and size. A damaged run is listed as such."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from denas_core.errors import DenasError, StoreDamaged
from denas_core.system.lock import is_held
from denas_core.values.objectives import Budget
from denas_core.values.trial import Trial

from .files import CONFIG, REPAIRED, RESULT, STORE, is_run, read_document, read_run
from .races import describe_trained

RunState = Literal["running", "finished", "stopped", "not begun", "damaged"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A summary of a run. Fields are None if their value is unknown.

    Attributes:
        path: The run directory.
        state: ``stopped``: the run can be resumed; ``not begun``: it has no store yet.
        reason: Why the run is damaged.
        space: Id of the space.
        scored: Number of scored trials.
        best_params: Number of parameters of the best architecture in the last result.
        trained: The metric of the run's training, such as ``accuracy 0.91``, or how far its race is; None if it has
            neither.
        budget: The configured budget.
        age_seconds: Seconds since the run was started.
        bytes: Size of the directory on disk.
    """

    path: Path
    state: RunState
    reason: str = ""
    space: str | None = None
    scored: int | None = None
    best_params: float | None = None
    trained: str | None = None
    budget: str | None = None
    age_seconds: float | None = None
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON can represent it."""
        return {**dataclasses.asdict(self), "path": str(self.path)}


def list_runs(directory: Path) -> tuple[list[RunSummary], list[Path]]:
    """Return summaries of the runs in `directory`, ordered by name, and the entries that are not runs.

    If the directory is a run itself, only this run is listed.
    """
    entries = [directory] if is_run(directory) else sorted(directory.iterdir())
    runs = [path for path in entries if is_run(path)]
    return [summarise(path) for path in runs], [path for path in entries if path not in runs]


def summarise(path: Path) -> RunSummary:
    """Return the summary of a run."""
    size = size_on_disk(path)
    held = is_held(path)
    if not any((path / name).exists() for name in (STORE, REPAIRED, f"{STORE}-wal", RESULT)):
        return RunSummary(path=path, state="running" if held else "not begun", bytes=size)
    try:
        with read_run(path) as store:
            header, trials, seconds = store.header(), store.trials(), store.active_seconds()
        config = header["config"]
        space, budget = str(config["space"]["name"]), str(config["budget"])
        result = _result(path)
        scored = sum(trial.is_scored for trial in trials)
        spent = _is_spent(Budget.parse(config["budget"]), scored, seconds)
        ended = result.get("finished") is True and sum(result["trials"].values()) == len(trials)
    except (DenasError, KeyError, TypeError, AttributeError) as error:
        reason = str(error) if isinstance(error, DenasError) else "its header is not that of a run"
        kind: RunState = "running" if held and not isinstance(error, StoreDamaged) else "damaged"
        return RunSummary(path=path, state=kind, reason=reason, bytes=size)
    state: RunState = "running" if held else "finished" if spent or ended else "stopped"
    return RunSummary(
        path=path,
        state=state,
        space=space,
        scored=scored,
        best_params=_best_params(result, trials),
        trained=describe_trained(path),
        budget=budget,
        age_seconds=_age(path, header),
        bytes=size,
    )


def size_on_disk(path: Path) -> int:
    """Return the bytes of the files below a directory. Links are not followed, and unreadable files count as empty."""
    total = 0
    for folder, _, names in os.walk(path, onerror=None, followlinks=False):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).lstat().st_size
    return total


def _is_spent(budget: Budget, scored: int, seconds: float) -> bool:
    if budget.candidates is not None:
        return scored >= budget.candidates
    return budget.seconds is not None and seconds >= budget.seconds


def _result(path: Path) -> dict[str, Any]:
    # The result is written after the trials, so it may be missing or older than the last trials.
    document = read_document(path / RESULT)
    usable = isinstance(document.get("trials"), dict)
    return document if usable and all(isinstance(n, int) for n in document["trials"].values()) else {}


def _best_params(result: Mapping[str, Any], trials: list[Trial]) -> float | None:
    best = result.get("best")
    key = best.get("key") if isinstance(best, dict) else None
    return next((t.evaluation.metrics.get("params") for t in trials if t.arch.key == key), None)


def _age(path: Path, header: Mapping[str, Any]) -> float | None:
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return max(0.0, time.time() - datetime.datetime.fromisoformat(header["started"]).timestamp())
    with contextlib.suppress(OSError):
        return max(0.0, time.time() - (path / CONFIG).stat().st_mtime)
    return None
