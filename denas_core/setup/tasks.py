"""Choosing the task for networks of a space: the one that the user names, or the only one that suits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, DenasError, NotInstalled
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry


def choose_task(
    registry: Registry,
    space: SearchSpace,
    name: str | None,
    options: Mapping[str, Any],
    *,
    data: Path | None = None,
) -> Task[Any]:
    """Return the task of that name, or the only one that networks of `space` can do.

    Args:
        registry: The installed plugins.
        space: The space of the networks.
        name: The name that the user gives; None for the task that fits.
        options: Options of the task.
        data: The data set. If several tasks fit the space, the one that reads data of this kind is taken.

    Raises:
        ConfigError: it does not fit, none does, or several do; lists them.
    """
    if name is not None:
        try:
            task: Task[Any] = registry.create("task", name, options, origin="the command line")
        except NotInstalled as error:
            raise NotInstalled(f"{error}{_where_tasks_are(registry, space)}") from error
        if reason := _why_unsuitable(task, space):
            raise ConfigError(f"{space.id!r} cannot be trained for {task.id!r}: {reason}")
        return task
    ids = registry.ids("task")
    reasons_by_task: dict[str, str] = {}
    for id in ids:
        try:
            reasons_by_task[id] = _why_unsuitable(registry.create("task", id), space)
        except DenasError as error:
            reasons_by_task[id] = str(error)
    fitting = [id for id in ids if not reasons_by_task[id]]
    if len(fitting) == 1:
        return registry.create("task", fitting[0], options, origin="the command line")  # type: ignore[no-any-return]
    if fitting and data is None:
        raise ConfigError(f"{space.id!r} can be trained for {', '.join(fitting)}; choose with --task")
    if fitting and data is not None:
        return _task_for_data(registry, space, fitting, options, data)
    if not ids:
        raise ConfigError("no installed plugin has a task; install one, such as: pip install denas-cv")
    reasons = "; ".join(f"{id}: {reason}" for id, reason in reasons_by_task.items())
    raise ConfigError(f"no installed task fits {space.id!r}: {reasons}{_where_tasks_are(registry, space)}")


def _task_for_data(
    registry: Registry,
    space: SearchSpace,
    fitting: Sequence[str],
    options: Mapping[str, Any],
    data: Path,
) -> Task[Any]:
    """Return the only one of several tasks that reads data of this kind."""
    reading: list[Task[Any]] = []
    for id in fitting:
        try:
            task: Task[Any] = registry.create("task", id, options, origin="the command line")
        except ConfigError:
            # The options are those of another task.
            continue
        if reads_data(task, data):
            reading.append(task)
    if len(reading) == 1:
        return reading[0]
    if not data.exists():
        raise ConfigError(f"there is no data set at {str(data)!r}")
    listed = ", ".join([task.id for task in reading] or fitting)
    reason = "" if reading else f" (none of them recognises {str(data)!r} by itself)"
    raise ConfigError(f"{space.id!r} can be trained for {listed}; choose with --task{reason}")


def reads_data(task: Task[Any], data: Path) -> bool:
    """Return whether the data are of the kind that a task reads, whether or not they have faults."""
    try:
        with plugin_errors(f"task {task.id!r}", guard=False):
            return task.describe(data) is not None
    except ConfigError:
        return True


def _where_tasks_are(registry: Registry, space: SearchSpace) -> str:
    if not space.tasks_from or space.tasks_from in {plugin.distribution for plugin in registry.plugins}:
        return ""
    return f"; tasks for {space.id!r} come with {space.tasks_from}: pip install {space.tasks_from}"


def _why_unsuitable(task: Task[Any], space: SearchSpace) -> str:
    with plugin_errors(f"task {task.id!r}", guard=False):
        return str(task.why_unsuitable(space))
