"""One training from its plan to its result: begun, resumed, or ended already."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.chance import nothing_learnt
from denas_core.errors import ConfigError, DenasError, Interrupted, NoResult, PluginError, keep_notices
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.system.atomic import LOCK, remove_leftovers, storage_errors, write_json
from denas_core.system.extras import require_extra
from denas_core.system.interrupt import Interruption, interruptible
from denas_core.system.lock import OWNER, RunLock, is_held
from denas_core.text import describe_error
from denas_core.tracking.names import check_trackers

from .announcement import announce
from .environment import check_environment, computed_with, only_settings_count
from .observers import TrainingObserver
from .peers import ended_by_first_signal, join, loss_of_peers
from .plan import (
    SETTINGS,
    Plan,
    changed_computation,
    check_resumable,
    check_same_data,
    read_plan,
    write_plan,
)
from .preparation import make_engine, shared_batch_size
from .processes import is_first, rank, read_processes, world_size
from .result import CHECKPOINTS, RESULT, TrainingResult, read_result, resume_command

if TYPE_CHECKING:
    from denas_core.contracts.task import TaskData

    from .engine import Engine


def train(
    plan: Plan,
    directory: Path,
    *,
    registry: Registry,
    resume: bool = False,
    observers: Sequence[TrainingObserver] = (),
    notify: Callable[[str], None] | None = None,
    on_begin: Callable[[Sequence[str], Sequence[str]], None] | None = None,
) -> TrainingResult:
    """Train a network, or go on with a training that was stopped.

    Args:
        plan: What is trained, on which data and with which settings.
        directory: The directory of the training.
        registry: The installed plugins.
        resume: Go on from the last whole checkpoint, or from the beginning if there is none.
        observers: Called as the training goes on.
        notify: Called with a line for the user while this process waits for others; by default the line goes to
            standard error.
        on_begin: Called in the first process before the first step, with what is trained and on which data in a few
            lines, and with the notices so far.

    Raises:
        ConfigError: the plan, the data, the directory or the environment do not fit together; nothing is written.
        Infeasible: the training does not fit into memory; nothing is written. Or memory ran out.
        Interrupted: a signal stopped the training; a resume goes on.
        NoResult: the loss is not finite, or the other processes of the training are lost.
        RunBusy, StorageError: the directory cannot be used.
    """
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="training")
    check_trackers(plan.settings.trackers)
    check_processes(plan)
    check_environment(plan)
    with only_settings_count(), ended_by_first_signal():
        return _train(plan, directory, registry, resume, [*observers], notify, on_begin)


def check_processes(plan: Plan) -> None:
    """Check that the processes of this machine fit its devices.

    Raises:
        ConfigError: there are more processes than GPUs, or the environment describes no processes.
    """
    processes = read_processes()
    if processes.world == 1 or plan.device == "cpu":
        return
    import torch

    if processes.local_world > (devices := torch.cuda.device_count()):
        raise ConfigError(
            f"this machine has {processes.local_world} processes and {devices} GPU{'s' if devices != 1 else ''}; start "
            "one process for each GPU, or use --device cpu"
        )


def _train(
    plan: Plan,
    directory: Path,
    registry: Registry,
    resume: bool,
    observers: list[TrainingObserver],
    notify: Callable[[str], None] | None,
    on_begin: Callable[[Sequence[str], Sequence[str]], None] | None,
) -> TrainingResult:
    with plugin_errors(f"space {plan.space.id!r}", guard=False):
        weights = plan.weights()
    if is_first() and not resume and not is_held(directory):
        _check_unused(directory)
    if resume:
        check_resumable(read_plan(directory, registry), plan, directory)
        if (done := read_result(directory)) is not None:
            return _ended(done, plan, directory)
    with plugin_errors(f"task {plan.task.id!r}", guard=False):
        data = plan.task.read(plan.data, plan.space)
    notices = [*data.notices]
    if plan.space.inherits:
        began = (
            "the space's checkpoint"
            if weights == "inherited"
            else "fresh weights, not from the space's checkpoint"
        )
        notices.append(f"training began from {began}")
    with keep_notices(lambda: notices):
        return _train_on(
            data, plan, directory, registry, resume, observers, notify, on_begin, weights, notices
        )


def _train_on(
    data: TaskData[Any],
    plan: Plan,
    directory: Path,
    registry: Registry,
    resume: bool,
    observers: list[TrainingObserver],
    notify: Callable[[str], None] | None,
    on_begin: Callable[[Sequence[str], Sequence[str]], None] | None,
    weights: Literal["fresh", "inherited"],
    notices: list[str],
) -> TrainingResult:
    from .memory import check_memory
    from .teacher import load_teacher

    if resume:
        check_same_data(directory, plan, data)
    batch_size = shared_batch_size(plan, data, notices)
    check_memory(plan, data.facts, batch_size, registry=registry)
    teacher = load_teacher(plan, data.facts, registry)
    join(plan.device, timeout=plan.settings.peer_timeout, notify=notify)
    with _held(directory), _stopped_between_steps() as interruption:
        if is_first():
            remove_leftovers(directory)
            if not resume:
                # Another process may have trained here while this one read its data.
                _check_unused(directory)
        engine = make_engine(
            plan,
            data,
            directory,
            batch_size,
            weights,
            teacher,
            interruption,
            observers if is_first() else [],
            notices,
        )
        if is_first():
            if resume:
                notices += changed_computation(directory, computed_with(plan))
            write_plan(directory, plan, data, computed_with(plan))
            if on_begin is not None:
                on_begin(announce(plan, data, batch_size), notices)
        _run(engine, plan, directory, batch_size, resume, notices)
        if said := nothing_learnt(plan.task.metric, engine.progress.best, len(data.valid)):
            notices.append(
                f"{said}; train it longer (training.epochs), on more data, or with another training.lr"
            )
        result = TrainingResult(
            directory=directory,
            task=plan.task.id,
            metric=plan.task.metric.name,
            progress=engine.progress,
            steps=engine.state.global_step,
            notices=notices,
        )
        if interruption:
            _check_ended(engine, directory, interruption)
        if is_first():
            write_json(directory / RESULT, result.as_dict())
            # After the result: a kill in between leaves checkpoints that the next resume removes.
            notices += _remove_checkpoints(plan, directory)
    return result


def _ended(result: TrainingResult, plan: Plan, directory: Path) -> TrainingResult:
    """Return the result of a training that has ended; remove checkpoints that a kill after its end has left."""
    if not is_first() or plan.settings.keep_checkpoints or not (directory / CHECKPOINTS).exists():
        return result
    with _held(directory):
        return dataclasses.replace(result, notices=[*result.notices, *_remove_checkpoints(plan, directory)])


def _remove_checkpoints(plan: Plan, directory: Path) -> list[str]:
    """Remove the checkpoints of a training that has ended, and return a notice if that fails."""
    if plan.settings.keep_checkpoints or not (directory / CHECKPOINTS).exists():
        return []
    try:
        shutil.rmtree(directory / CHECKPOINTS)
    except OSError as error:
        path = str(error.filename or directory / CHECKPOINTS)
        return [
            f"the checkpoints are not needed any more and cannot be removed: {path!r}: {error.strerror or error}"
        ]
    return []


def _check_ended(engine: Engine, directory: Path, interruption: Interruption) -> None:
    """Raise `Interrupted` unless the training has ended before the signal could stop it."""
    step, total = engine.state.global_step, engine.state.max_steps
    command = resume_command(directory)
    if engine.evaluation_pending and not step:
        message = f"stopped in the evaluation; begin it again with: {command}"
    elif engine.evaluation_pending:
        message = (
            f"stopped in the evaluation after step {step} of {total}, which is kept; go on with: {command}"
        )
    elif engine.progress.stopped or step >= total:
        return
    else:
        message = f"stopped after step {step} of {total}, which is kept; go on with: {command}"
    raise Interrupted(message, signal_number=interruption.signal_number)


@contextlib.contextmanager
def _stopped_between_steps() -> Iterator[Interruption]:
    """Collect the signals of a single process.

    Several processes would not stop after the same step, and would wait for each other: a signal ends them at once.
    """
    if world_size() > 1:
        yield Interruption()
        return
    with interruptible() as interruption:
        yield interruption


def _check_unused(directory: Path) -> None:
    if not directory.exists():
        return
    if (done := read_result(directory)) is not None:
        value = done.progress.best.get(done.metric)
        raise ConfigError(
            f"{str(directory)!r} holds a finished training ({done.metric} {value:.4g} after epoch "
            f"{done.progress.best_epoch:g}); name another place with --out"
        )
    if (directory / SETTINGS).exists():
        raise ConfigError(
            f"{str(directory)!r} holds a training that was stopped; go on with: {resume_command(directory)}, or name "
            "another place with --out"
        )
    with storage_errors(directory):
        if not directory.is_dir() or {path.name for path in directory.iterdir()} - {LOCK, OWNER}:
            raise ConfigError(f"{str(directory)!r} exists and is not empty; name another place with --out")


def _run(
    engine: Engine, plan: Plan, directory: Path, batch_size: int, resume: bool, notices: list[str]
) -> None:
    from denas_core.system.memory import memory_errors

    from .checkpoint import latest_checkpoint
    from .data import worker_faults

    start, damaged = latest_checkpoint(directory / CHECKPOINTS) if resume else (None, [])
    notices += damaged
    try:
        with memory_errors(batch_size), worker_faults():
            engine.run(start)
    except (DenasError, OSError):
        raise
    except Exception as error:
        if reason := loss_of_peers(error):
            raise NoResult(
                f"process {rank()} has lost the other processes of its training, or has waited for them for more than "
                f"{plan.settings.peer_timeout:g} s (training.peer_timeout): {reason}; start all of them again, with: "
                f"{resume_command(directory)}"
            ) from error
        raise PluginError(
            f"training {plan.space.id!r} for {plan.task.id!r} failed: {describe_error(error)}"
        ) from error


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
