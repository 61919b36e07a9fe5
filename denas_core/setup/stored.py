"""The objects of a search again, from what its run has stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.contracts.component import Component
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.registry.options import make_component
from denas_core.registry.registry import Registry

from .config import make_config
from .setup import Setup


def stored_document(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored configuration of a run, with the keys that did not exist when it was made.

    Such a run measured the latency of its candidates, whatever the default is today.
    """
    return {"search": {"latency": "measured"}, **config}


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
    setup = Setup.from_config(
        make_config({**stored_document(header["config"]), **changes}, origin=origin), registry
    )
    check_unchanged(setup.space, header)
    if "references" in header:
        setup.resolve_latency_bounds(header["references"])
    return setup


def ranking_setup(
    config: Mapping[str, Any], registry: Registry, *, origin: str, with_data: bool = False
) -> Setup:
    """Return the objects that rank the trials of a run, which needs neither bounds nor a probe.

    Args:
        config: The configuration of the run.
        registry: The installed plugins.
        origin: What errors name as its source.
        with_data: Whether trials will be scored, which needs the data of the run if it has any.

    Raises:
        ConfigError, NotInstalled, PluginError: a component cannot be had.
    """
    document = {**config, "constraints": [], "objectives": ["score"]}
    if not with_data:
        document.pop("data", None)
    return Setup.from_config(make_config(document, origin=origin), registry)


def with_new_options(stored: Mapping[str, Any], cls: type[Component]) -> dict[str, Any]:
    """Return the stored configuration of a component with the options that its class has received since.

    A new option has its default, because the component had no choice before. Stored values stay as they are, also if
    a default has changed.

    Args:
        stored: The name and the options of the component.
        cls: The class of the component today.

    Raises:
        ConfigError: the class refuses a stored option.
    """
    options = {name: value for name, value in stored.items() if name != "name"}
    # The default is taken from an object: a class may derive the value of one option from another.
    complete = make_component(cls, options, id=stored["name"]).options()
    return {**stored, **{name: value for name, value in complete.items() if name not in stored}}


def check_unchanged(space: SearchSpace, header: Mapping[str, Any]) -> None:
    """Refuse a space whose networks are others than those of the run.

    Raises:
        ConfigError: its fingerprint has changed.
    """
    if space.fingerprint() != header["fingerprint"]:
        raise ConfigError(f"space {space.id!r} has changed since the run was made; run the search again")
