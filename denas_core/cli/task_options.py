"""Short options for keys of tasks: each is the same as ``--set task.NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from denas_core.contracts.task import Task
    from denas_core.registry.registry import Registry

VocabOption = Annotated[
    str | None,
    typer.Option(
        "--vocab",
        metavar="FILE|KIND",
        help="Vocabulary of a task on texts or speech; the same as task.vocab.",
    ),
]
TrainOption = Annotated[
    str | None,
    typer.Option("--train", metavar="PART", help="Part of the data to train on; the same as task.train."),
]
DevOption = Annotated[
    str | None,
    typer.Option("--dev", metavar="PART", help="Part to evaluate on during training; the same as task.dev."),
]
SplitOption = Annotated[
    str | None,
    typer.Option("--split", metavar="PART", help="Part of the data to evaluate on; the same as task.split."),
]
DecodeOption = Annotated[
    str | None,
    typer.Option("--decode", metavar="HOW", help="How outputs are decoded; the same as task.decoding."),
]
LmOption = Annotated[
    str | None,
    typer.Option("--lm", metavar="FILE", help="Language model for decoding; the same as task.lm."),
]


def task_for_once(
    registry: Registry, task: Task[Any], settings: Sequence[str], **short: str | None
) -> Task[Any]:
    """Return the task of a model with some options changed.

    Args:
        registry: The installed plugins.
        task: The task of the model.
        settings: The ``--set`` options of the command line.
        **short: Values of short options, by the name of the task's option.

    Raises:
        ConfigError: a setting is not one of a task, or its value is wrong.
    """
    given = {name: value for name, value in short_forms(**short).items() if value is not None}
    if not settings and not given:
        return task
    options = task_settings(settings, task.options())
    found: Task[Any] = registry.create("task", task.id, {**options, **given}, origin="the command line")
    return found


def task_settings(settings: Sequence[str], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return options of a task, changed by ``--set`` options of the command line.

    Args:
        settings: The ``--set`` options.
        before: The options that they change; by default none.

    Raises:
        ConfigError: a setting is not one of a task.
    """
    from denas_core.errors import ConfigError
    from denas_core.setup.config import apply_settings

    for setting in settings:
        if not setting.strip().startswith("task."):
            raise ConfigError(f"--set {setting!r}: only keys of the task can be set here, as task.KEY=VALUE")
    options: dict[str, Any] = apply_settings({"task": dict(before or {})}, settings)["task"]
    return options


def short_forms(**given: str | None) -> dict[str, str | None]:
    """Return the options, with the names of existing files made absolute.

    A training may be resumed from another folder.
    """
    return {name: _absolute(value) for name, value in given.items()}


def _absolute(value: str | None) -> str | None:
    try:
        return str(Path(value).absolute()) if value and Path(value).exists() else value
    except (OSError, ValueError):
        return value
