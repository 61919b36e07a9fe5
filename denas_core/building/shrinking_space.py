"""The space whose networks are smaller versions of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, NotInstalled, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.official import SHRINKING
from denas_core.registry.registry import Registry

from .shrink_request import ShrinkRequest


def shrinking_space(
    registry: Registry, checkpoint: str, *, data: Path | None, task: str | None
) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the id of the space that makes a checkpoint smaller, and its settings, see `SearchSpace.shrinking`.

    Raises:
        NotInstalled: no installed plugin has such a space.
        PluginError: a plugin that may have it does not load.
        ConfigError: several spaces make this checkpoint smaller.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    reasons = [
        f"plugin {plugin.name!r} is {plugin.status}: {plugin.reason}"
        for plugin in registry.plugins
        if plugin.status != "ok"
    ]
    for id in registry.ids("space"):
        try:
            space: type[SearchSpace] = registry.load("space", id)
        except PluginError as error:
            reasons.append(str(error))
            continue
        with plugin_errors(f"space {id!r}"):
            settings = space.shrinking(checkpoint, data=data, task=task)
            if settings is not None:
                found[id] = {part: dict(options) for part, options in settings.items()}
    if len(found) > 1:
        raise ConfigError(
            f"spaces {' and '.join(found)} make checkpoints smaller; use 'denas search' with one of them"
        )
    if found:
        return next(iter(found.items()))
    if any(plugin.name == SHRINKING for plugin in registry.plugins):
        raise PluginError(
            f"no usable plugin makes checkpoints smaller: {'; '.join(reasons)}; 'denas doctor' says how to fix it"
        )
    raise NotInstalled(
        f"no installed plugin makes checkpoints smaller; install one with: pip install denas-{SHRINKING}"
    )


def open_shrinking_space(
    request: ShrinkRequest, registry: Registry
) -> tuple[SearchSpace, dict[str, dict[str, Any]]]:
    """Return the space that makes the checkpoint of a request smaller, and its settings for all steps.

    Raises:
        ConfigError: the checkpoint has no weights, or an option is wrong.
    """
    name, settings = shrinking_space(registry, request.checkpoint, data=request.data, task=request.task)
    options = merged(settings, "space", request.options("space"))
    space = registry.create("space", name, options, origin="the command line")
    if not space.inherits:
        raise ConfigError(
            f"{request.checkpoint!r} has no weights to inherit; name the folder of a checkpoint with weights"
        )
    return space, settings


def merged(settings: Mapping[str, Mapping[str, Any]], part: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a part; those of the user take precedence."""
    return {**settings.get(part, {}), **given}
