"""Open an export: the components that its card names, and its files. What is missing or damaged is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, PluginError, StoreDamaged
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.loading import Kind
from denas_core.registry.registry import Registry
from denas_core.text import describe_error
from denas_core.values.batch import Batch

from .export_folder import damaged_card

if TYPE_CHECKING:
    from torch import Tensor

KINDS: tuple[Kind, ...] = ("space", "task", "exporter")
"""Kinds of the components that the card of an export names."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenExport:
    """An export that is ready to run.

    Attributes:
        space: The space of the network.
        task: What the network was trained for.
        facts: What the task needs to use the network.
        run: Returns the outputs of a batch by name.
    """

    space: SearchSpace
    task: Task[Any]
    facts: Mapping[str, Any]
    run: Callable[[Batch], dict[str, Tensor]]


def open_export(directory: Path, card: Mapping[str, Any], registry: Registry) -> OpenExport:
    """Open the export in a directory, whose card was read.

    Raises:
        ConfigError: the network was not trained.
        NotInstalled, PluginError: a plugin or a library of the export is missing or broken.
        StoreDamaged: the card lacks a value, or the files of the export are missing or damaged.
    """
    origin = str(directory)
    # An export of a whole run has no network, and a network without a training has no task.
    if card.get("task") is None:
        raise ConfigError(f"the export in {origin!r} has no trained network, so it has no answers")
    try:
        named = [(kind, card[kind]["id"], card[kind].get("options", {})) for kind in KINDS]
        artefact, facts = directory / card["artefact"], dict(card["facts"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged_card(directory, describe_error(error)) from error
    space, task, exporter = (registry.create(kind, id, options, origin=origin) for kind, id, options in named)
    return OpenExport(space=space, task=task, facts=facts, run=_opened(exporter, artefact))


def _opened(exporter: Exporter, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
    again = "copy the whole folder again, or export the network again"
    if not artefact.exists():
        raise StoreDamaged(f"the export has lost {str(artefact)!r}; {again}")
    try:
        with plugin_errors(f"exporter {exporter.id!r}", guard=False):
            return exporter.opened(artefact)
    except PluginError as error:
        if error.__cause__ is None or isinstance(error.__cause__, ImportError):
            raise
        raise StoreDamaged(
            f"{str(artefact)!r} cannot be opened, so it may be damaged ({describe_error(error.__cause__)}); {again}"
        ) from error
