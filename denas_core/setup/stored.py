"""The objects of a search again, from what its run has stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry

from .config import make_config
from .setup import Setup


def stored_setup(header: Mapping[str, Any], registry: Registry, *, origin: str, **changes: Any) -> Setup:
    """Return the objects of a run, its latency bounds as they were measured.

    Args:
        header: The header of its store.
        registry: The installed plugins.
        origin: What errors name as the source of the configuration.
        changes: Keys of the configuration with other values.

    Raises:
        ConfigError, NotInstalled, PluginError: a component cannot be had, or the space has changed since.
    """
    setup = Setup.from_config(make_config({**header["config"], **changes}, origin=origin), registry)
    check_unchanged(setup.space, header)
    if "references" in header:
        setup.resolve_latency_bounds(header["references"])
    return setup


def ranking_setup(config: Mapping[str, Any], registry: Registry, *, origin: str) -> Setup:
    """Return the objects that rank the trials of a run, which needs neither bounds nor a probe.

    Args:
        config: The configuration of the run.
        registry: The installed plugins.
        origin: What errors name as its source.

    Raises:
        ConfigError, NotInstalled, PluginError: a component cannot be had.
    """
    document = {**config, "constraints": [], "objectives": ["score"]}
    return Setup.from_config(make_config(document, origin=origin), registry)


def check_unchanged(space: SearchSpace, header: Mapping[str, Any]) -> None:
    """Refuse a space whose networks are others than those of the run.

    Raises:
        ConfigError: its fingerprint has changed.
    """
    if space.fingerprint() != header["fingerprint"]:
        raise ConfigError(f"space {space.id!r} has changed since the run was made; run the search again")
