"""Choosing the task for networks of a space: the one that the user names, or the only one that suits them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, DenasError, NotInstalled
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry


def choose_task(
    registry: Registry, space: SearchSpace, name: str | None, options: Mapping[str, Any]
) -> Task[Any]:
    """Return the task of that name, or the only one that networks of `space` can do.

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
    if fitting:
        raise ConfigError(f"{space.id!r} can be trained for {', '.join(fitting)}; choose with --task")
    if not ids:
        raise ConfigError("no installed plugin has a task; install one, such as: pip install denas-cv")
    reasons = "; ".join(f"{id}: {reason}" for id, reason in reasons_by_task.items())
    raise ConfigError(f"no installed task fits {space.id!r}: {reasons}{_where_tasks_are(registry, space)}")


def _where_tasks_are(registry: Registry, space: SearchSpace) -> str:
    if not space.tasks_from or space.tasks_from in {plugin.distribution for plugin in registry.plugins}:
        return ""
    return f"; tasks for {space.id!r} come with {space.tasks_from}: pip install {space.tasks_from}"


def _why_unsuitable(task: Task[Any], space: SearchSpace) -> str:
    with plugin_errors(f"task {task.id!r}", guard=False):
        return str(task.why_unsuitable(space))
