"""Training several networks at a time, each on a core of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from denas_core.contracts.executor import Demand, Executor
from denas_core.errors import Interrupted
from denas_core.evaluation.spread import opened, spread
from denas_core.registry.registry import Registry
from denas_core.setup.config import DEFAULT_EXECUTOR
from denas_core.system.interrupt import Interruption, interruptible
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation
from denas_core.workers.capacity import asked_workers, capacity

from .trainer import Trainer

NO_DEADLINE = 1e9
"""Seconds that a training may take in a worker."""

OnProgress = Callable[[int, int], None]
"""Is called with the number of networks that are done, and the number of all."""


def train_side_by_side(
    trainer: Trainer,
    networks: Sequence[Architecture],
    *,
    registry: Registry,
    on_progress: OnProgress = lambda done, total: None,
) -> dict[str, Evaluation]:
    """Train the networks that have not been trained yet, and return what has come of each one by its key.

    A network whose training failed is trained again by the next call.

    Raises:
        Interrupted: a signal stopped the trainings. The next call goes on with them.
        StoreDamaged, StorageError: a result cannot be read or written.
    """
    found = {arch.key: done for arch in networks if (done := trainer.found(arch)) is not None}
    missing = [arch for arch in networks if arch.key not in found]
    on_progress(len(found), len(networks))
    if not missing:
        return found
    executor = make_executor(registry, len(missing), device=trainer.plan.device)
    with interruptible() as interruption, opened(executor, Demand()):
        interruption.on_first = executor.stop
        for arch, evaluation in spread(executor, trainer, _until(interruption, missing)):
            found[arch.key] = evaluation
            on_progress(len(found), len(networks))
    if len(found) < len(networks):
        raise Interrupted(
            f"stopped after {len(found)} of {len(networks)} trainings, which are kept in {_shown(trainer.root)}; "
            "continue with the same command",
            signal_number=interruption.signal_number,
        )
    return found


def make_executor(registry: Registry, trainings: int, *, device: str) -> Executor:
    """Return an executor of worker processes: one for each core, but one alone if they share a GPU."""
    room = 1 if device != "cpu" else capacity().workers
    options = {"workers": max(1, min(asked_workers() or room, trainings)), "deadline": NO_DEADLINE}
    executor: Executor = registry.create("executor", DEFAULT_EXECUTOR, options)
    return executor


def _until(interruption: Interruption, networks: Sequence[Architecture]) -> Iterator[Architecture]:
    for arch in networks:
        if interruption:
            return
        yield arch


def _shown(path: Path) -> str:
    return repr(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
