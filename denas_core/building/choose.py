"""The decisions that are made before work begins: the task, and the space with its options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, DenasError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.setup.data_options import Filled, fill_options
from denas_core.setup.describing import Described, describe_data
from denas_core.values.description import DataDescription

from .record import Decision
from .request import BuildRequest


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTask:
    """The task of a build.

    Attributes:
        task: The task, with the options with which it reads the data.
        description: What it says about the data.
        decision: The decision.
    """

    task: Task[Any]
    description: DataDescription
    decision: Decision


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSpace:
    """A space that a build could search.

    Attributes:
        name: Its name, with its preset.
        space: The space.
        filled: Its options.
        reason: Why it is a candidate.
    """

    name: str
    space: SearchSpace
    filled: Filled
    reason: str


def choose_described_task(request: BuildRequest, registry: Registry) -> ChosenTask:
    """Return the task that reads the data.

    Raises:
        ConfigError: no task recognises the data, several do, or the only one that does would refuse them.
    """
    options = request.options("task")
    found = describe_data(registry, request.data, task=request.task, options=options)
    read = [said for said in found if said.description is not None]
    if not read:
        assert found[0].fault is not None, "what has no description has a fault"
        raise found[0].fault
    best = [said for said in read if said.is_exact] or read
    if len(best) > 1:
        raise ConfigError(
            f"{str(request.data)!r} can be read for {', '.join(said.task for said in best)}; choose with --task"
        )
    return _chosen(best[0], options, registry, is_named=request.task is not None)


def candidate_spaces(request: BuildRequest, registry: Registry, chosen: ChosenTask) -> list[ChosenSpace]:
    """Return the spaces that a build could search, the one that suits the data best first.

    Raises:
        ConfigError: none of the installed spaces suits the task, or the one that the user names does not.
    """
    given: Mapping[str, Any] = request.search_document({"space": {}}).get("space", {})
    if request.space is not None or "name" in given:
        name = request.space or str(given["name"])
        own = {key: value for key, value in given.items() if key != "name"}
        filled = fill_options(registry, name, own, chosen.description)
        space = registry.create("space", name, filled.options)
        if reason := _why_unsuitable(chosen.task, space):
            raise ConfigError(f"{name!r} cannot be trained for {chosen.task.id!r}: {reason}")
        return [ChosenSpace(name=name, space=space, filled=filled, reason="you named it")]
    plugin = chosen.task.id.partition("/")[0]
    others = sorted(registry.ids("space"), key=lambda id: (id.partition("/")[0] != plugin, id))
    names = dict.fromkeys(chosen.description.spaces, f"{chosen.task.id} suggests it for these data")
    names |= {} if names else dict.fromkeys(others, f"its networks suit {chosen.task.id}")
    found, faults = [], []
    for name, reason in names.items():
        try:
            filled = fill_options(registry, name, given, chosen.description)
            space = registry.create("space", name, filled.options)
            why = _why_unsuitable(chosen.task, space)
        except DenasError as error:
            why = str(error)
        if why:
            faults.append(f"{name}: {why}")
        else:
            found.append(ChosenSpace(name=name, space=space, filled=filled, reason=reason))
    if not found:
        raise ConfigError(
            f"no installed space suits {chosen.task.id!r} and these data; {faults[0] if faults else 'there is none'}"
        )
    return found


def _chosen(said: Described, options: Mapping[str, Any], registry: Registry, *, is_named: bool) -> ChosenTask:
    description = said.description
    assert description is not None, "the caller has checked it"
    task = registry.create(
        "task", said.task, {**description.task_options, **options}, origin="the command line"
    )
    reason = "you named it" if is_named else f"the data are {description.format}"
    return ChosenTask(
        task=task,
        description=description,
        decision=Decision(step="data", what="task", value=said.task, reason=reason),
    )


def _why_unsuitable(task: Task[Any], space: SearchSpace) -> str:
    with plugin_errors(f"task {task.id!r}", guard=False):
        return str(task.why_unsuitable(space))
