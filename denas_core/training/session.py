"""One training, from its plan to its result; also what a resume and a repeated call find."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.task import TaskData
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, DenasError, Interrupted, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.trained import build_network, save_model
from denas_core.registry.registry import Registry
from denas_core.system.atomic import LOCK, remove_leftovers, storage_errors, write_json
from denas_core.system.extras import require_extra
from denas_core.system.interrupt import Interruption, interruptible
from denas_core.system.lock import OWNER, RunLock, is_held
from denas_core.text import describe_error

from .observers import Events, Log, Watcher
from .plan import SETTINGS, Plan, check_resumable, check_same_data, read_plan, write_plan
from .processes import is_first, world_size
from .progress import Standing
from .result import MODEL, RESULT, TrainingResult, read_result, resume_command

if TYPE_CHECKING:
    from torch import nn

    from .engine import Engine
    from .teacher import Teacher


def train(
    plan: Plan,
    directory: Path,
    *,
    registry: Registry,
    resume: bool = False,
    watchers: Sequence[Watcher] = (),
) -> TrainingResult:
    """Train a network, or go on with a training that was stopped.

    Args:
        plan: What is trained, on what, how.
        directory: Where it is kept.
        registry: The installed plugins.
        resume: Whether to go on; with the last whole checkpoint, or from the start if there is none.
        watchers: Told how it goes on.

    Raises:
        ConfigError: something does not fit; nothing is written.
        Infeasible: out of memory.
        Interrupted: a signal stopped it; a resume goes on.
        NoResult: the loss is lost.
        RunBusy, StorageError: the directory cannot be used.
    """
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="training")
    from .teacher import load_teacher

    with plugin_errors(f"space {plan.space.id!r}", guard=False):
        weights = plan.weights()
    if is_first() and not resume and not is_held(directory):
        _check_unused(directory)
    if resume:
        check_resumable(read_plan(directory, registry), plan, directory)
        if (done := read_result(directory)) is not None:
            return done
    with plugin_errors(f"task {plan.task.id!r}", guard=False):
        data = plan.task.read(plan.data, plan.space)
    if resume:
        check_same_data(directory, plan, data)
    notices = [*data.notices]
    if plan.space.inherits:
        began = (
            "the space's checkpoint"
            if weights == "inherited"
            else "fresh weights, not from the space's checkpoint"
        )
        notices.append(f"training began from {began}")
    batch_size = _batch_size(plan, data, notices)
    teacher = load_teacher(plan, data.facts, registry)
    with _held(directory), interruptible() as interruption:
        if is_first():
            remove_leftovers(directory)
            if not resume:
                # Another process may have trained here while this one read its data.
                _check_unused(directory)
            write_plan(directory, plan, data)
        engine = _engine(
            plan,
            data,
            directory,
            batch_size,
            weights,
            teacher,
            interruption,
            [*watchers] if is_first() else [],
            notices,
        )
        _run(engine, plan, directory, batch_size, resume, notices)
        result = TrainingResult(
            directory=directory,
            task=plan.task.id,
            metric=plan.task.metric.name,
            standing=engine.standing,
            steps=engine.state.global_step,
            notices=notices,
        )
        is_done = bool(engine.standing.stopped) or engine.state.global_step >= engine.state.max_steps
        if interruption and not is_done:
            raise Interrupted(
                f"stopped after step {engine.state.global_step} of {engine.state.max_steps}, which is kept; go on "
                f"with: {resume_command(directory)}",
                signal_number=interruption.signal_number,
            )
        if is_first():
            write_json(directory / RESULT, result.as_dict())
    return result


def _check_unused(directory: Path) -> None:
    if not directory.exists():
        return
    if (done := read_result(directory)) is not None:
        value = done.standing.best.get(done.metric)
        raise ConfigError(
            f"{str(directory)!r} holds a finished training ({done.metric} {value:.4g} after epoch "
            f"{done.standing.best_epoch:g}); name another place with --out"
        )
    if (directory / SETTINGS).exists():
        raise ConfigError(
            f"{str(directory)!r} holds a training that was stopped; go on with: {resume_command(directory)}, or name "
            "another place with --out"
        )
    with storage_errors(directory):
        if not directory.is_dir() or {path.name for path in directory.iterdir()} - {LOCK, OWNER}:
            raise ConfigError(f"{str(directory)!r} exists and is not empty; name another place with --out")


def _batch_size(plan: Plan, data: TaskData[Any], notices: list[str]) -> int:
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


def _engine(
    plan: Plan,
    data: TaskData[Any],
    directory: Path,
    batch_size: int,
    weights: Literal["fresh", "inherited"],
    teacher: Teacher | None,
    interruption: Interruption,
    watchers: list[Watcher],
    notices: list[str],
) -> Engine:
    from .engine import Engine
    from .network import TrainableNetwork

    settings = plan.settings
    with plugin_errors(f"space {plan.space.id!r}", guard=False):
        structure = build_network(plan.space, plan.arch, task=plan.task, facts=data.facts)
        network = plan.space.load(structure, plan.arch, seed=settings.seed, weights=weights)
    if is_first():
        watchers.append(Log(directory))
        try:
            watchers.append(Events(directory))
        except ImportError:
            notices.append(
                "tensorboard is not installed: no events are written; pip install 'denas-core[train]'"
            )

    def keep(best: nn.Module, standing: Standing) -> None:
        model = TrainedModel(
            space=plan.space,
            arch=plan.arch,
            network=best,
            task=plan.task,
            facts=data.facts,
            metrics=standing.best,
            history=_history(plan, weights, best_epoch=standing.best_epoch),
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
            watchers=watchers,
            keep=keep,
        )
    except ValueError as error:
        if settings.bf16 and "bf16" in str(error).lower():
            raise ConfigError(
                "this machine cannot compute in bfloat16; use --set training.bf16=false"
            ) from error
        raise


def _history(plan: Plan, weights: str, *, best_epoch: float) -> dict[str, Any]:
    portable = plan.space.portable()
    # Where a checkpoint was, which the model itself does not need any more.
    left_out = {name: value for name, value in plan.space.options().items() if portable.get(name) != value}
    return {
        "source": plan.source,
        "weights": weights,
        "epoch": best_epoch,
        "data": str(plan.data),
        "teacher": None if plan.teacher is None else str(plan.teacher),
        **({"space": left_out} if left_out else {}),
        "settings": plan.settings.options(),
    }


def _run(
    engine: Engine, plan: Plan, directory: Path, batch_size: int, resume: bool, notices: list[str]
) -> None:
    import torch

    from denas_core.system.memory import memory_errors

    from .checkpoint import latest_checkpoint
    from .data import worker_faults
    from .engine import CHECKPOINTS

    start, damaged = latest_checkpoint(directory / CHECKPOINTS) if resume else (None, [])
    notices += damaged
    try:
        with memory_errors(batch_size), worker_faults():
            engine.run(start)
    except (DenasError, OSError):
        raise
    except Exception as error:
        raise PluginError(
            f"training {plan.space.id!r} for {plan.task.id!r} failed: {describe_error(error)}"
        ) from error
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


@contextlib.contextmanager
def _held(directory: Path) -> Iterator[None]:
    if not is_first():
        yield
        return
    with storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    lock = RunLock(directory)
    try:
        yield
    finally:
        lock.release()
