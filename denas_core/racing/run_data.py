"""The data set and the task for the trainings of a run: what the user names, or else those of its search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError

from .run_trainings import TrainingRequest
from .searched_run import SearchedRun


def make_training_request(
    run: SearchedRun,
    *,
    data: str | None,
    task: str | None,
    options: Mapping[str, Mapping[str, Any]],
    epochs: int | None = None,
    device: str | None = None,
) -> TrainingRequest:
    """Return what the user says about trainings. What is missing is as in the search of the run.

    Args:
        run: The run.
        data: Path of the data set.
        task: Name of the task.
        options: Options of ``--set`` by ``training`` and ``task``.
        epochs: Passes over the data.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        ConfigError: neither the user nor the run names a data set.
    """
    searched: Mapping[str, Any] = run.config.get("data") or {}
    path = data if data is not None else searched.get("path")
    if path is None or not path.strip():
        raise ConfigError("no data set to train on is named; name one with --data")
    of_run = dict(searched.get("task") or {})
    name = of_run.pop("name", None)
    is_same = task is None or (name is not None and task in (name, name.partition("/")[2]))
    settings = dict(options.get("training", {})) | ({} if epochs is None else {"epochs": epochs})
    return TrainingRequest(
        data=Path(path).expanduser(),
        task=name if is_same and name is not None else task,
        task_options={**(of_run if is_same else {}), **options.get("task", {})},
        settings=settings,
        device=device or run.config.get("device", "auto"),
    )
