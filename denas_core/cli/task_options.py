"""Short forms of options that tasks have: each is the same as ``--set task.NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Sequence
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
    typer.Option("--train", metavar="PART", help="Part of the data to learn from; the same as task.train."),
]
DevOption = Annotated[
    str | None,
    typer.Option("--dev", metavar="PART", help="Part to measure on while training; the same as task.dev."),
]
SplitOption = Annotated[
    str | None,
    typer.Option("--split", metavar="PART", help="Part of the data to measure on; the same as task.split."),
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
    """Return a task with other options than a model was trained with.

    Args:
        registry: The installed plugins.
        task: That of the model.
        settings: ``--set`` of the command line.
        **short: Short forms, by the name of the option.

    Raises:
        ConfigError: a setting is none of a task, or does not fit.
    """
    from denas_core.errors import ConfigError
    from denas_core.setup.config import apply_settings

    given = {name: value for name, value in short_forms(**short).items() if value is not None}
    if not settings and not given:
        return task
    for setting in settings:
        if not setting.strip().startswith("task."):
            raise ConfigError(f"--set {setting!r}: here are keys of the task alone, such as task.KEY=VALUE")
    options = apply_settings({"task": task.options()}, settings)["task"]
    found: Task[Any] = registry.create("task", task.id, {**options, **given}, origin="the command line")
    return found


def short_forms(**given: str | None) -> dict[str, str | None]:
    """Return what was given by the name of the option; the names of files that are there are made whole.

    A training may be gone on with in another folder.
    """
    return {name: _whole(value) for name, value in given.items()}


def _whole(value: str | None) -> str | None:
    try:
        return str(Path(value).absolute()) if value and Path(value).exists() else value
    except (OSError, ValueError):
        return value
