"""What data are: every installed task says whether it reads them, and what it finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, DenasError, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.official import DATA
from denas_core.registry.registry import Registry
from denas_core.values.description import DataDescription


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What one task says about data of its kind.

    Attributes:
        task: Id of the task.
        description: What it has found; None if it would refuse to read the data.
        fault: Why it would refuse to read them; None if it would read them.
    """

    task: str
    description: DataDescription | None = None
    fault: DenasError | None = None

    @property
    def is_exact(self) -> bool:
        """Whether only this task reads data of this form."""
        return self.description is not None and self.description.exact

    def as_dict(self) -> dict[str, Any]:
        """Return what was found, as JSON can represent it."""
        if self.description is None:
            return {"task": self.task, "fault": str(self.fault)}
        return {"task": self.task, **dataclasses.asdict(self.description)}


def describe_data(
    registry: Registry, data: Path, *, task: str | None = None, options: Mapping[str, Any] | None = None
) -> list[Described]:
    """Return what tasks say about the data: exact descriptions first, and last those that would refuse the data.

    A task that cannot be made, because its plugin is broken, says nothing unless the user names it.

    Args:
        registry: The installed plugins.
        data: A file or folder.
        task: The only task to ask; by default every installed one.
        options: Options of tasks. A task that is not named gets those that it has.

    Raises:
        ConfigError: the path does not exist, no task has an option, or no task reads data of this kind.
        NotInstalled, PluginError: the named task cannot be made.
    """
    if not data.exists():
        raise ConfigError(f"there is nothing at {str(data)!r}; give the file or folder of the data")
    names = registry.ids("task") if task is None else [registry.resolve("task", task)]
    found = []
    unknown = set(options or {})
    for name in names:
        try:
            known = dict(options or {})
            if task is None:
                own = registry.option_names("task", name)
                known = {key: value for key, value in known.items() if key in own}
            one = registry.create("task", name, known, origin="the command line")
        except DenasError:
            if task is not None:
                raise
            continue
        unknown -= known.keys()
        if (said := _described(one, data)) is not None:
            found.append(said)
    if unknown:
        raise ConfigError(f"no installed task has an option {min(unknown)!r}")
    if not found:
        raise ConfigError(_unrecognised(registry, data, task))
    return sorted(found, key=lambda said: (said.description is None, not said.is_exact))


def _described(task: Task[Any], data: Path) -> Described | None:
    try:
        with plugin_errors(f"task {task.id!r}", guard=False):
            description = task.describe(data)
    except (ConfigError, PluginError) as error:
        return Described(task=task.id, fault=error)
    return None if description is None else Described(task=task.id, description=description)


def _unrecognised(registry: Registry, data: Path, task: str | None) -> str:
    if task is not None:
        return f"task {registry.resolve('task', task)!r} does not recognise {str(data)!r} as data of its kind"
    installed = {id.partition("/")[0] for id in registry.ids("task")}
    read = [DATA[name] for name in sorted(installed & DATA.keys())]
    read += [f"what {id!r} reads" for id in registry.ids("task") if id.partition("/")[0] not in DATA]
    text = f"no installed task recognises {str(data)!r}"
    if read:
        text += f"; installed tasks read {', '.join(read)}"
    missing = [f"pip install denas-{name} (for {DATA[name]})" for name in sorted(DATA.keys() - installed)]
    return f"{text}; other data: {', '.join(missing)}" if missing else text
