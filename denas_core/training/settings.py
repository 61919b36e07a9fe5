"""Settings of a training. What the user says beats the recipe of the task, which beats the defaults."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, Literal

from denas_core.contracts.component import Component, option
from denas_core.errors import ConfigError, PluginError
from denas_core.registry.options import make_component
from denas_core.text import parse_seconds
from denas_core.tracking.names import TrackerName

ID = "training"
GPU_WORKERS = 8


@dataclasses.dataclass(kw_only=True)
class TrainingSettings(Component):
    """The settings of a training. A batch is shared by all processes, so that their number changes no result."""

    weights: Literal["auto", "fresh", "inherited"] = option(
        "auto",
        "What training begins from; auto: the checkpoint of the space where it has one, else fresh weights",
    )
    zero_residuals: bool | None = option(
        None, "Begin with residual bodies that return 0; if not given, where the space advises it"
    )
    epochs: int = option(
        30, "Passes over the training split; 0 evaluates the network as training would begin", at_least=0
    )
    max_steps: int = option(0, "Optimizer steps after which training ends; 0 for no limit", at_least=0)
    max_time: str = option(
        "",
        "Time after which training ends, such as 30min or 1h; empty for no limit; the schedule is fitted to it",
    )
    batch_size: int = option(64, "Samples of a batch, over all processes", at_least=1)
    accumulate: int = option(1, "Batches whose gradients are summed for one optimizer step", at_least=1)
    optimizer: Literal["adamw", "sgd"] = option("adamw", "Rule of the updates")
    lr: float = option(1e-3, "Highest learning rate", above=0)
    momentum: float = option(0.9, "Momentum of sgd", at_least=0, at_most=1)
    layer_decay: float = option(
        1.0, "Factor of the learning rate from each layer to the one before it", above=0, at_most=1
    )
    weight_decay: float = option(0.05, "Decay of weights; never of biases, norms and vectors", at_least=0)
    schedule: Literal["cosine", "step", "linear", "constant", "noam"] = option(
        "cosine", "Course of the learning rate after the warm-up"
    )
    warmup: float = option(0.05, "Optimizer steps of linear warm-up; below 1, their share of all", at_least=0)
    final_lr: float = option(
        0.0, "Share of lr at which cosine and linear schedules end", at_least=0, at_most=1
    )
    step_epochs: int = option(30, "Epochs between the drops of the step schedule", at_least=1)
    step_factor: float = option(0.1, "Factor of each drop of the step schedule", above=0, at_most=1)
    clip: float = option(0.0, "Largest norm of all gradients together; 0 leaves them", at_least=0)
    label_smoothing: float = option(0.0, "Label smoothing of the training loss", at_least=0, at_most=1)
    bf16: bool = option(False, "Compute in bfloat16 where torch's autocast does")
    eval_epochs: int = option(1, "Epochs between evaluations; the last one is always evaluated", at_least=1)
    eval_steps: int = option(0, "Optimizer steps between further evaluations; 0 for none", at_least=0)
    patience: int = option(
        0, "Evaluations without a better metric after which training stops; 0 for never", at_least=0
    )
    metric_threshold: float | None = option(None, "Value of the task's metric at which training stops")
    checkpoint_steps: int = option(
        1000, "Optimizer steps between checkpoints within an epoch; 0 for none", at_least=0
    )
    keep_checkpoints: bool = option(False, "Keep the last checkpoints when training has ended")
    log_steps: int = option(50, "Optimizer steps between rows of the log", at_least=1)
    trackers: list[TrackerName] = option(
        [], "Trackers that the losses and metrics are logged to: tensorboard, mlflow, wandb, trackio"
    )
    workers: int | None = option(
        None, "Processes that read samples; none on a CPU and up to 8 for a GPU if not given"
    )
    memory_gb: float | None = option(
        None,
        "GB of memory that the training may take on this machine or on a GPU; by default 80 % of what is there",
        above=0,
    )
    peer_timeout: float = option(
        1800.0,
        "Seconds that one of several processes waits for the others before it gives up",
        above=0,
        at_most=1_000_000,
    )
    shuffle: bool = option(True, "Draw the samples of an epoch in another order each time")
    seed: int = option(0, "Seed of weights, order and augmentation", at_least=0)
    distill_weight: float = option(
        0.5, "Weight of the teacher's outputs against the labels", at_least=0, at_most=1
    )
    distill_temperature: float = option(2.0, "Temperature at which outputs are compared", above=0)
    distill_hidden: float = option(
        0.0, "Weight of the distance of the hidden states from those of the teacher", at_least=0
    )

    def __post_init__(self) -> None:
        """Refuse values that the bounds of the options cannot refuse."""
        if self.workers is not None and self.workers < 0:
            raise ValueError(f"workers must not be negative, got {self.workers}")
        if self.max_time:
            try:
                parse_seconds(self.max_time)
            except ValueError as error:
                raise ValueError(f"max_time {error}") from error

    def reading_processes(self, device: str, world: int) -> int:
        """Return how many processes read samples for one of `world` training processes."""
        if self.workers is not None:
            return self.workers
        return 0 if device == "cpu" else min(GPU_WORKERS, max((os.cpu_count() or 1) // world - 1, 0))


MAY_CHANGE_ON_RESUME = (
    *(
        "log_steps",
        "trackers",
        "workers",
        "checkpoint_steps",
        "keep_checkpoints",
        "memory_gb",
        "peer_timeout",
    ),
)
"""Settings that do not change the weights."""


def make_settings(task: str, recipe: Mapping[str, Any], given: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings of a training.

    Args:
        task: Id of the task, for errors.
        recipe: The task's own settings.
        given: The settings that the user gives; they beat those of the task.

    Raises:
        ConfigError: an unknown setting or a value out of bounds.
        PluginError: the recipe itself is wrong.
    """
    try:
        make_component(TrainingSettings, recipe, id=ID)
    except ConfigError as error:
        raise PluginError(f"the recipe of task {task!r} is wrong: {error}") from error
    settings: TrainingSettings = make_component(TrainingSettings, {**recipe, **given}, id=ID)
    return settings
