"""The executor of several trainings: as many side by side as there are cores, and the other cores shared among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.contracts.executor import Demand, Executor
from denas_core.registry.registry import Registry
from denas_core.workers.capacity import asked_workers, capacity, usable_cores

DEFAULT = "builtin/process"

NO_DEADLINE = 1e9
"""Seconds after which a training would be given up. A training takes as long as it takes."""


def choose_executor(
    registry: Registry, name: str | None, options: Mapping[str, Any], *, trainings: int, device: str
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

    Raises:
        ConfigError, NotInstalled, PluginError: there is no such executor, or an option is wrong.
    """
    name = registry.resolve("executor", name or DEFAULT)
    known = registry.option_names("executor", name)
    chosen = dict(options)
    if "deadline" in known:
        chosen.setdefault("deadline", NO_DEADLINE)
    if name == DEFAULT:
        room = 1 if device != "cpu" else asked_workers() or capacity().workers
        chosen.setdefault("workers", max(1, min(room, trainings)))
    executor: Executor = registry.create("executor", name, chosen, origin="the command line")
    workers = chosen.get("workers", 1)
    threads = usable_cores() // workers if isinstance(workers, int) and workers > 0 else 1
    return executor, Demand(threads=max(1, threads), device=device)
