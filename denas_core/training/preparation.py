"""The preparation of a training: the size of its batches, its network and its engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.task import TaskData
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.trained import build_network, save_model
from denas_core.system.interrupt import Interruption

from .environment import computed_with
from .observers import LogFile, TensorBoardEvents, TrainingObserver
from .plan import Plan
from .processes import is_first, world_size
from .progress import TrainingProgress
from .residuals import begin_residuals
from .result import MODEL
from .tracking import TrainingTracking

if TYPE_CHECKING:
    from torch import nn

    from .engine import Engine
    from .teacher import Teacher


def shared_batch_size(plan: Plan, data: TaskData[Any], notices: list[str]) -> int:
    """Return the samples of a batch over all processes.

    Args:
        plan: The plan.
        data: What the task has read.
        notices: Gets a notice if there are fewer samples than the plan wants.

    Raises:
        ConfigError: there is no sample, or the processes cannot share the batch.
    """
    samples, world, wanted = len(data.train or ()), world_size(), plan.settings.batch_size
    if not samples:
        raise ConfigError(f"{str(plan.data)!r} holds no sample to train on")
    if wanted % world:
        raise ConfigError(
            f"a batch of {wanted} cannot be shared by {world} processes; choose a multiple of {world}"
        )
    if samples >= wanted:
        return wanted
    if samples < world:
        raise ConfigError(f"{samples} samples cannot be shared by {world} processes; start fewer")
    size = samples // world * world
    notices.append(f"there are only {samples} samples to train on: a batch has {size}, not {wanted}")
    return size


def make_engine(
    plan: Plan,
    data: TaskData[Any],
    directory: Path,
    batch_size: int,
    weights: Literal["fresh", "inherited"],
    teacher: Teacher | None,
    interruption: Interruption,
    observers: list[TrainingObserver],
    notices: list[str],
) -> Engine:
    """Return the engine of a training, with the network that it begins with and its observers.

    Raises:
        ConfigError: this machine cannot compute as the settings say.
    """
    from .engine import Engine
    from .network import TrainableNetwork

    settings = plan.settings
    with plugin_errors(f"space {plan.space.id!r}", guard=False):
        structure = build_network(plan.space, plan.arch, task=plan.task, facts=data.facts)
        network = plan.space.load(structure, plan.arch, seed=settings.seed, weights=weights)
        if weights == "inherited":
            network = plan.space.reconstruct(network, plan.arch)
        if teacher is not None:
            teacher.compare_hidden_states(network, plan.space, plan.arch)
        starts_at_zero = begin_residuals(network, plan.space, wanted=settings.zero_residuals, weights=weights)
    if is_first():
        observers.append(LogFile(directory))
        if settings.trackers:
            observers.append(TrainingTracking(plan, directory, notify=notices.append))
        if "tensorboard" not in settings.trackers:
            # The tracker writes the same events.
            observers += _events(directory, notices)

    def keep(best: nn.Module, progress: TrainingProgress) -> None:
        model = TrainedModel(
            space=plan.space,
            arch=plan.arch,
            network=best,
            task=plan.task,
            facts=data.facts,
            metrics=progress.best,
            history={
                **_history(plan, weights, zero_residuals=starts_at_zero, best_epoch=progress.best_epoch),
                "measured_samples": len(data.valid),
            },
        )
        save_model(directory / MODEL, model)

    try:
        return Engine(
            plan,
            data,
            TrainableNetwork(
                network,
                plan.space,
                plan.task,
                label_smoothing=settings.label_smoothing,
                teacher=teacher,
            ),
            directory=directory,
            batch_size=batch_size,
            workers=settings.reading_processes(plan.device, world_size()),
            interruption=interruption,
            observers=observers,
            keep=keep,
        )
    except ValueError as error:
        if settings.bf16 and "bf16" in str(error).lower():
            raise ConfigError(
                "this machine cannot compute in bfloat16; use --set training.bf16=false"
            ) from error
        raise


def _events(directory: Path, notices: list[str]) -> list[TrainingObserver]:
    try:
        return [TensorBoardEvents(directory)]
    except ImportError:
        notices.append("tensorboard is not installed: no events are written; pip install 'denas-core[train]'")
        return []


def _history(plan: Plan, weights: str, *, zero_residuals: bool, best_epoch: float) -> dict[str, Any]:
    portable = plan.space.portable()
    # Options that only the training needed, such as where a checkpoint was.
    left_out = {name: value for name, value in plan.space.options().items() if portable.get(name) != value}
    return {
        "source": plan.source,
        "weights": weights,
        "zero_residuals": zero_residuals,
        "epoch": best_epoch,
        "data": str(plan.data),
        "teacher": None if plan.teacher is None else str(plan.teacher),
        **({"space": left_out} if left_out else {}),
        "settings": plan.settings.options(),
        "computed_with": computed_with(plan),
    }
