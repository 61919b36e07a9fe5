"""Measuring a trained model: what ``denas evaluate`` does, and the same from Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.chance import nothing_learnt
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, keep_notices
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.find import find_model
from denas_core.models.predictor import Predictor
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.system.extras import require_extra
from denas_core.system.memory import memory_errors
from denas_core.training.evaluation import evaluate_network
from denas_core.values.html import paragraphs_html, table_html

from .places import HasPath, path_of
from .training_options import device_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """The metrics of a trained model on a data set.

    Attributes:
        path: The directory of the model.
        task: Id of the task.
        data: The data set.
        metric: Name of the metric of the task.
        samples: Number of samples that the metrics were measured on.
        metrics: All metrics by name, and the mean ``loss``.
        notices: What the task says about the data.
    """

    path: Path
    task: str
    data: Path
    metric: str
    samples: int
    metrics: Mapping[str, float]
    notices: Sequence[str] = ()

    @property
    def value(self) -> float:
        """Value of the metric of the task."""
        return self.metrics[self.metric]

    def predictor(self, **options: Any) -> Predictor:
        """Return the model as a `Predictor`; the options are those of `Predictor.load`."""
        return Predictor.load(self.path, **options)

    def as_dict(self) -> dict[str, Any]:
        """Return the result in the form that ``denas evaluate --json`` prints."""
        return {
            "schema": "denas.evaluation/1",
            "model": str(self.path),
            "task": self.task,
            "data": str(self.data),
            "samples": self.samples,
            "metrics": dict(self.metrics),
            "notices": list(self.notices),
        }

    def _repr_html_(self) -> str:
        rows = [[name, f"{value:.4g}"] for name, value in self.metrics.items()]
        said = [*self.notices, f"{self.task} on {self.samples} samples of {self.data}", f"model: {self.path}"]
        return table_html(["metric", "value"], rows) + paragraphs_html(said)


def evaluate(
    model: str | Path | HasPath,
    data: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    batch_size: int = 64,
    device: str = "auto",
) -> EvaluationResult:
    """Measure a trained model on the part of a data set that training does not use.

    Args:
        model: A trained run or model: its path, or the result of `search`, `train` or `race`.
        data: The data set: a file or folder that the task can read.
        options: Options of the task for this call only, such as ``{"split": "test"}``.
        batch_size: Samples of a batch.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        ConfigError: there is no trained model, it has no task, or the task cannot read the data.
        NotInstalled: the plugin of its space or task is missing.
        NoResult: the data have no sample to measure on, or the metric is not finite.
        StoreDamaged: the file of the model is damaged.
    """
    registry = Registry.discover()
    return evaluate_model(
        path_of(model, what="a trained model"),
        Path(data).expanduser(),
        registry,
        change=lambda task: changed_task(registry, task, options or {}),
        batch_size=batch_size,
        device=device,
    )


def evaluate_model(
    path: Path,
    data: Path,
    registry: Registry,
    *,
    change: Callable[[Task[Any]], Task[Any]],
    batch_size: int,
    device: str,
) -> EvaluationResult:
    """Measure a model; see `evaluate`.

    Args:
        path: A run directory or a model directory.
        data: The data set.
        registry: The installed plugins.
        change: Returns the task with other options.
        batch_size: Samples of a batch.
        device: ``auto``, ``cpu`` or ``cuda``.
    """
    require_extra("train", "safetensors", purpose="a trained model")
    directory = find_model(path)
    trained = load_model(directory, registry)
    if trained.task is None:
        raise ConfigError(f"the model in {str(directory)!r} has no task, so there is no metric to measure")
    task = change(trained.task)
    with plugin_errors(f"task {task.id!r}", guard=False):
        read = task.read(data, trained.space, facts=trained.facts)
    chosen = device_of(device)
    with (
        keep_notices(lambda: read.notices),
        plugin_errors(f"task {task.id!r}", guard=False),
        memory_errors(batch_size),
    ):
        metrics = evaluate_network(
            trained.network.to(chosen),
            trained.space,
            task,
            read.valid,
            batch_size=batch_size,
            device=chosen,
        )
    said = nothing_learnt(task.metric, metrics, len(read.valid))
    return EvaluationResult(
        path=directory,
        task=task.id,
        data=data,
        metric=task.metric.name,
        samples=len(read.valid),
        metrics=metrics,
        notices=(*read.notices, *([f"{said}; train it longer, or on more data"] if said else [])),
    )


def changed_task(registry: Registry, task: Task[Any], options: Mapping[str, Any]) -> Task[Any]:
    """Return a task with some options changed.

    Raises:
        ConfigError: the task has no such option, or a value is wrong.
    """
    if not options:
        return task
    changed: Task[Any] = registry.create("task", task.id, {**task.options(), **options}, origin="options")
    return changed
