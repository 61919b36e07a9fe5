"""What data determine of a search: options of the space that the user has not set, and the task that reads the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, DenasError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.values.description import DataDescription

from .config import ComponentConfig, RunConfig, as_scalar, is_own_class
from .describing import describe_data


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """The options of a space with those that data determine.

    Attributes:
        options: All options that the user or the data have set.
        from_data: Those of the data.
        left_out: Sentences about those that the space refuses.
    """

    options: Mapping[str, Any]
    from_data: Mapping[str, Any]
    left_out: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the options of the data as ``--set`` would have them; empty if there are none."""
        return ", ".join(f"{name}={as_scalar(value)}" for name, value in self.from_data.items())


def fill_options(
    registry: Registry, space: str, given: Mapping[str, Any], description: DataDescription
) -> Filled:
    """Return the options of a space: those that are given, and those that data determine.

    An option of the data takes precedence over a preset. One that the space does not have is ignored, and one whose
    value it refuses is left out.

    Args:
        registry: The installed plugins.
        space: Name of the space, with or without a preset.
        given: The options that the user has set.
        description: What is known of the data.

    Raises:
        ConfigError, NotInstalled, PluginError: the space cannot be made with what the user has set.
    """
    known = registry.option_names("space", space.partition(":")[0])
    wanted = {
        name: value
        for name, value in description.space_options.items()
        if name in known and name not in given
    }
    try:
        registry.create("space", space, {**given, **wanted})
        return Filled({**given, **wanted}, wanted)
    except ConfigError:
        registry.create("space", space, given, origin="the command line")
    options, kept, left_out = dict(given), {}, []
    for name, value in wanted.items():
        try:
            registry.create("space", space, {**options, name: value})
        except ConfigError as error:
            left_out.append(f"{name}={as_scalar(value)} of the data is not used: {error}")
        else:
            options[name] = kept[name] = value
    return Filled(options, kept, tuple(left_out))


def with_data_options(config: RunConfig, registry: Registry) -> tuple[RunConfig, list[str]]:
    """Return a configuration whose space has the options that its data determine, and sentences about them.

    If several tasks could read the data and the user names none, the only one that recognises them is chosen. Data that
    no task recognises change nothing; the task says later what is wrong with them.

    Args:
        config: The configuration of a new search.
        registry: The installed plugins.
    """
    if config.data is None or is_own_class(config.space.name):
        return config, []
    asked, given = config.data.task, config.space.options
    try:
        found = describe_data(
            registry, Path(config.data.path).expanduser(), task=asked.name, options=asked.options
        )
    except DenasError:
        return config, []
    fitting = []
    for said in found:
        if said.description is None:
            continue
        options = {**said.description.task_options, **asked.options}
        filled = fill_options(registry, config.space.name, given, said.description)
        if _suits(registry, said.task, options, config.space.name, filled.options):
            fitting.append((said, options, filled))
    fitting = [one for one in fitting if one[0].is_exact] or fitting
    if len(fitting) != 1:
        return config, []
    ((said, options, filled),) = fitting
    task = {"name": said.task, **options}
    data = config.data.model_copy(update={"task": type(asked)(**task)})
    space = ComponentConfig(name=config.space.name, **filled.options)
    notices = [*filled.left_out, *([f"{filled.text()} from the data"] if filled.from_data else [])]
    return config.model_copy(update={"space": space, "data": data}), notices


def _suits(
    registry: Registry, task: str, options: Mapping[str, Any], space: str, chosen: Mapping[str, Any]
) -> bool:
    try:
        made: SearchSpace = registry.create("space", space, chosen)
        with plugin_errors(f"task {task!r}", guard=False):
            return not registry.create("task", task, options).why_unsuitable(made)
    except DenasError:
        return False
