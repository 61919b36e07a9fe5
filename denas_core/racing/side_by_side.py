"""Training several networks at a time: as many as there are cores, which the trainings share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.task import TaskData
from denas_core.errors import Interrupted
from denas_core.evaluation.spread import opened, spread
from denas_core.registry.registry import Registry
from denas_core.system.interrupt import interruptible
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .executor import choose_executor
from .memory import memory_of_largest
from .trainer import Trainer

OnProgress = Callable[[int, int], None]
"""Is called with the number of networks that are done, and the number of all."""


def train_side_by_side(
    trainer: Trainer,
    networks: Sequence[Architecture],
    *,
    data: TaskData[Any],
    registry: Registry,
    on_progress: OnProgress = lambda done, total: None,
    notify: Callable[[str], None] = lambda text: None,
) -> dict[str, Evaluation]:
    """Train the networks that have not been trained yet, and return what has come of each one by its key.

    A network whose training failed is trained again by the next call.

    Args:
        trainer: Trains each network.
        networks: The networks.
        data: What the task has read, for the estimate of the memory.
        registry: The installed plugins.
        on_progress: Called as networks are done.
        notify: Called with a sentence if memory allows fewer trainings at a time than cores do.

    Raises:
        Interrupted: a signal stopped the trainings. The next call goes on with them.
        StoreDamaged, StorageError: a result cannot be read or written.
    """
    found = {arch.key: done for arch in networks if (done := trainer.found(arch)) is not None}
    missing = [arch for arch in networks if arch.key not in found]
    on_progress(len(found), len(networks))
    if not missing:
        return found
    plan = trainer.plan
    executor, demand = choose_executor(
        registry,
        None,
        {},
        trainings=len(missing),
        device=plan.device,
        memory=memory_of_largest(plan, missing, data, registry),
        memory_gb=plan.settings.memory_gb,
        notify=notify,
    )
    with interruptible() as interruption, opened(executor, demand):
        interruption.on_first = executor.stop
        for arch, evaluation in spread(executor, trainer, interruption.until_signal(missing)):
            found[arch.key] = evaluation
            on_progress(len(found), len(networks))
    if len(found) < len(networks):
        raise Interrupted(
            f"stopped after {len(found)} of {len(networks)} trainings, which are kept in {_shown(trainer.root)}; "
            "continue with the same command",
            signal_number=interruption.signal_number,
        )
    return found


def _shown(path: Path) -> str:
    return repr(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
