"""Training from Python: one call does what ``denas train`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError
from denas_core.progress.bars import bar_of_training
from denas_core.registry.registry import Registry
from denas_core.setup.training_file import make_training_file
from denas_core.system.extras import require_extra
from denas_core.training.observers import TrainingObserver
from denas_core.training.result import TrainingResult
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Trial

from .places import HasPath, architecture_text, component_document, path_of
from .ready_training import prepare_training
from .training_options import GivenOptions


def train(
    run: str | Path | HasPath | Mapping[str, Any] | SearchSpace,
    data: str | Path | None = None,
    *,
    arch: str | Mapping[str, Any] | Architecture | Trial | None = None,
    task: str | Mapping[str, Any] | Task[Any] | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str | None = None,
    teacher: str | Path | HasPath | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    observers: Sequence[TrainingObserver] = (),
) -> TrainingResult:
    """Train the best network of a run, or another one, and keep its best model.

    >>> import denas_core
    >>> result = denas_core.search("cv/cnn", data="photos", budget=100)  # doctest: +SKIP
    >>> training = denas_core.train(result, "photos", epochs=20)  # doctest: +SKIP
    >>> training.metric, training.value, training.samples  # doctest: +SKIP
    ('accuracy', 0.91, 240)

    Args:
        run: A run: its path, or the result of `search`. Or a space, by name, as a mapping or as an object; then `arch`
            and `out` are needed. With `resume`, the path of a training or its result, too.
        data: The data set: a file or folder that the task can read.
        arch: The architecture: a trial, an architecture, a mapping of its knobs, a name such as ``"knee"``, the first
            digits of a finalist's key, a file, or the space's notation; by default the best one of the run.
        task: What to train for; by default the only task that fits the space and the data.
        epochs: Passes over the data; by default those of the recipe of the task.
        batch_size: Samples of a batch.
        lr: Highest learning rate.
        seed: Seed of everything random; by default that of the run.
        settings: Further settings of the training by name, such as ``{"schedule": "step", "patience": 5}``.
        device: ``auto``, ``cpu`` or ``cuda``; by default as the run.
        teacher: A trained model whose outputs the network learns, too.
        out: The directory of the training; by default ``training`` in the run.
        resume: Go on with a training that was stopped.
        progress: Whether a notebook or a terminal shows a bar.
        observers: Objects that are called as the training goes on.

    Raises:
        ConfigError, Infeasible, PluginError: the training cannot begin; nothing is written.
        NoResult: the loss is not finite.
        Interrupted: a signal stopped the training; `resume` goes on with it.
        RunBusy, StorageError: the directory cannot be used.
    """
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="training")
    registry = Registry.discover()
    name, given = given_training(
        run,
        data,
        registry,
        arch=arch,
        task=task,
        device=device,
        teacher=teacher,
        settings={"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed, **(settings or {})},
    )
    ready = prepare_training(
        name, given, registry, out=None if out is None else Path(out).expanduser(), resume=resume
    )
    bars = bar_of_training(progress, ready.plan.task.metric.name, ready.plan.settings)
    return ready.run(registry, observers=[*observers, *bars])


def given_training(
    run: object,
    data: str | Path | None,
    registry: Registry,
    *,
    arch: str | Mapping[str, Any] | Architecture | Trial | None = None,
    task: object = None,
    device: str | None = None,
    teacher: object = None,
    settings: Mapping[str, Any],
) -> tuple[str | None, GivenOptions]:
    """Return the name of a run or of a space, and the options of a training, from the arguments of `train`.

    The name is None for a space that is not given by its name alone; the options have it.

    Raises:
        ConfigError: an argument has another form.
    """
    if data is not None and not str(data).strip():
        raise ConfigError("data is empty; name a file or folder")
    document: dict[str, Any] = {"task": component_document(task, what="task")}
    is_space = isinstance(run, (SearchSpace, Mapping))
    if is_space:
        document["space"] = component_document(run, what="space")
    text = architecture_text(arch)
    given = GivenOptions(
        file=make_training_file(
            {key: value for key, value in document.items() if value is not None}, origin="train()"
        ),
        data=None if data is None else Path(data).expanduser(),
        arch=text,
        device=device,
        teacher=None if teacher is None else path_of(teacher, what="a trained model"),
        flags={"training": settings},
    )
    if is_space:
        return None, given
    if isinstance(run, str) and registry.has("space", run) and not Path(run).is_dir():
        return run, given
    return str(path_of(run, what="a run or a space")), given
