"""A race from Python: one call does what ``denas train RUN --top N`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.executor import Executor
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError
from denas_core.progress.bars import bar_of_race
from denas_core.racing.race import RaceObserver
from denas_core.racing.result import RaceResult
from denas_core.registry.registry import Registry
from denas_core.system.extras import require_extra

from .places import HasPath, component_document, path_of
from .ready_race import prepare_race
from .train import given_training

TOP = 4


def race(
    run: str | Path | HasPath,
    data: str | Path | None = None,
    *,
    top: int | None = None,
    also: str | Sequence[str] = (),
    task: str | Mapping[str, Any] | Task[Any] | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str | None = None,
    executor: str | Mapping[str, Any] | Executor | None = None,
    resume: bool = False,
    progress: bool = True,
    observers: Sequence[RaceObserver] = (),
) -> RaceResult:
    """Train the first finalists of a run side by side, and keep the best network as the training of the run.

    >>> import denas_core
    >>> denas_core.race("runs/cv-cnn-1", "photos", top=6, also=["random:2"]).sentence  # doctest: +SKIP
    'Finalist 3 (1f0c6a2b9d3e) won with accuracy 0.91 after 20 epochs, ...'

    Args:
        run: The run: its path, or the result of `search`.
        data: The data set: a file or folder that the task can read.
        top: Number of finalists; 4 by default.
        also: Networks to compare the finalists with, such as ``["random:2", "largest", "familiar"]``.
        task: What to train for; by default the only task that fits the space and the data.
        epochs: Passes over the data of the last rung; by default those of the recipe of the task.
        batch_size: Samples of a batch.
        lr: Highest learning rate.
        seed: Seed of everything random; by default that of the run.
        settings: Further settings of the trainings by name.
        device: ``auto``, ``cpu`` or ``cuda``; by default as the run.
        executor: Where the trainings run; by default in processes of this machine.
        resume: Go on with a race that was stopped.
        progress: Whether a notebook or a terminal shows a bar.
        observers: Objects that are called as the race goes on.

    Raises:
        ConfigError, PluginError: the race cannot begin; nothing is written.
        NoResult: the run has no finalists, or every training of a rung has failed.
        Interrupted: a signal stopped the race; `resume` goes on with it.
        RunBusy, StorageError: the directory cannot be used.
    """
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="training")
    if top is not None and top < 1:
        raise ConfigError(f"top {top!r} is not a number of networks, from 1 on")
    registry = Registry.discover()
    name, given = given_training(
        path_of(run, what="a run"),
        data,
        registry,
        task=task,
        device=device,
        settings={"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed, **(settings or {})},
    )
    where = component_document(executor, what="executor") or {}
    ready = prepare_race(
        name,
        given,
        registry,
        top=top or (None if resume else TOP),
        also=[also] if isinstance(also, str) else also,
        executor=where.pop("name", None),
        executor_options=where,
        resume=resume,
    )
    return ready.run([*observers, *bar_of_race(progress)])
