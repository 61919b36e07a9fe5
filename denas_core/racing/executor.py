"""The executor of several trainings: as many side by side as there are cores, and the other cores shared among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from denas_core.contracts.executor import Demand, Executor
from denas_core.registry.registry import Registry
from denas_core.workers.capacity import asked_workers, usable_cores

from .memory import fitting

DEFAULT = "builtin/process"

NO_DEADLINE = 1e9
"""Seconds after which a training would be given up. A training takes as long as it takes."""


def choose_executor(
    registry: Registry,
    name: str | None,
    options: Mapping[str, Any],
    *,
    trainings: int,
    device: str,
    memory: int | None = None,
    memory_gb: float | None = None,
    notify: Callable[[str], None] = lambda text: None,
) -> tuple[Executor, Demand]:
    """Return the executor of several trainings, and what one of them needs.

    Without a number of workers, the processes of this machine are as many as cores and memory allow, or one for a GPU,
    and not more than there are trainings. Each gets an equal share of the cores.

    Args:
        registry: The installed plugins.
        name: The executor that the user names.
        options: Its options that the user gives.
        trainings: Most trainings at a time.
        device: ``cpu`` or ``cuda``.
        memory: Bytes that the largest training takes, without its process; None if it is unknown.
        memory_gb: GB of memory that all trainings together may take, as the user says.
        notify: Called with a sentence if memory allows fewer trainings at a time than cores do.

    Raises:
        ConfigError, NotInstalled, PluginError: there is no such executor, or an option is wrong.
    """
    name = registry.resolve("executor", name or DEFAULT)
    known = registry.option_names("executor", name)
    chosen = dict(options)
    if "deadline" in known:
        chosen.setdefault("deadline", NO_DEADLINE)
    if name == DEFAULT and "workers" not in chosen:
        wanted = max(1, min(trainings, asked_workers() or usable_cores())) if device == "cpu" else 1
        chosen["workers"] = (
            wanted if wanted == 1 else fitting(wanted, memory=memory, memory_gb=memory_gb, notify=notify)
        )
    executor: Executor = registry.create("executor", name, chosen, origin="the command line")
    workers = chosen.get("workers", 1)
    threads = usable_cores() // workers if isinstance(workers, int) and workers > 0 else 1
    # The memory of a GPU is not that of this machine. A user who says how much memory there is knows better.
    counted = memory if device == "cpu" and memory_gb is None else None
    return executor, Demand(threads=max(1, threads), device=device, memory=counted)
