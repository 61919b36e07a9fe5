"""What a plugin as a whole must do: load, be light, name its components well, and come from a sound distribution."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING

from denas_core.testing.check import Check, CheckSkipped, require

from .fresh_process import loaded_by

if TYPE_CHECKING:
    from denas_core.registry.loading import Plugin
    from denas_core.registry.registry import Registry

HEAVY = (
    "torch",
    "numpy",
    "transformers",
    "pydantic",
    "sklearn",
    "scipy",
    "pandas",
    "PIL",
    "onnx",
    "ray",
    "optuna",
)
"""Packages that would slow down ``denas --help`` if a plugin module imported them."""


def it_loads(registry: Registry, plugin: Plugin) -> None:
    """It loads: its module imports and its hooks return components."""
    require(plugin.status == "ok", f"its status is {plugin.status}: {plugin.reason}{_mend(plugin)}")


def it_provides_something(registry: Registry, plugin: Plugin) -> None:
    """It provides at least one component, or a command."""
    _is_loaded(plugin)
    require(
        any(plugin.components.values()) or plugin.add_commands is not None,
        "none of its hooks returns a component; mark functions such as denas_scores() with @hookimpl",
    )


def its_components_import(registry: Registry, plugin: Plugin) -> None:
    """Every component that it names imports, is complete, and can be made."""
    from denas_core.errors import DenasError

    _is_loaded(plugin)
    for kind, names in plugin.components.items():
        for name in names:
            try:
                registry.load(kind, f"{plugin.name}/{name}")
            except DenasError as error:
                require(False, f"{error}; name a class of that kind as 'package.module:Class'")
            try:
                registry.create(kind, f"{plugin.name}/{name}")
            except DenasError as error:
                require(False, f"{plugin.name}/{name} cannot be made: {error}")


def its_names_are_lower_case(registry: Registry, plugin: Plugin) -> None:
    """Its name and those of its components are lower-case words with hyphens, as ids are typed."""
    names = [plugin.name, *(name for names in plugin.components.values() for name in names)]
    for name in names:
        require(
            re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) is not None,
            f"the name {name!r} is not made of lower-case letters and digits with hyphens; rename it",
        )


def its_module_is_light(registry: Registry, plugin: Plugin) -> None:
    """Importing its module loads no heavy library, since every command imports it."""
    _is_loaded(plugin)
    loaded = {name.partition(".")[0] for name in loaded_by(_module_of(plugin))["loaded"]}
    heavy = sorted(loaded & set(HEAVY))
    require(
        not heavy,
        f"importing {_module_of(plugin)} loads {', '.join(heavy)}; name components lazily as "
        "'package.module:Class', and import heavy libraries inside functions",
    )


def its_module_prints_nothing(registry: Registry, plugin: Plugin) -> None:
    """Importing its module prints nothing."""
    _is_loaded(plugin)
    printed = str(loaded_by(_module_of(plugin))["printed"])
    require(not printed, f"importing {_module_of(plugin)} prints {printed[:80]!r}; remove it")


def its_distribution_needs_the_core(registry: Registry, plugin: Plugin) -> None:
    """Its distribution is installed with a version, and says that it needs denas-core."""
    try:
        distribution = importlib.metadata.distribution(plugin.distribution)
    except importlib.metadata.PackageNotFoundError:
        require(
            False, f"there is no installed distribution {plugin.distribution!r}; install the plugin with pip"
        )
    needed = {
        re.split(r"[\s<>=!~;\[(]", text, maxsplit=1)[0].lower().replace("_", "-")
        for text in distribution.requires or ()
    }
    require(
        bool(distribution.version), f"{plugin.distribution} has no version; add one to its pyproject.toml"
    )
    require(
        plugin.distribution == "denas-core" or "denas-core" in needed,
        f'{plugin.distribution} does not say that it needs denas-core; add dependencies = ["denas-core"] to its '
        "pyproject.toml",
    )


def _mend(plugin: Plugin) -> str:
    """Return what the author of a plugin that does not load can do about it."""
    from denas_core import hookspecs

    if plugin.status != "broken":
        return "; 'denas doctor' says how to fix it"
    if "unknown hook" in plugin.reason:
        return f"; the hooks are {', '.join(name for name in vars(hookspecs) if name.startswith('denas_'))}"
    return f'; python -c "import {_module_of(plugin)}" shows where, if its import fails'


def _is_loaded(plugin: Plugin) -> None:
    if plugin.status != "ok":
        raise CheckSkipped("it does not load")


def _module_of(plugin: Plugin) -> str:
    from denas_core.registry.loading import GROUP

    for point in importlib.metadata.entry_points(group=GROUP):
        if point.name == plugin.name:
            return point.module
    raise CheckSkipped("no entry point names it")


PLUGIN_CHECKS: tuple[Check, ...] = (
    it_loads,
    it_provides_something,
    its_components_import,
    its_names_are_lower_case,
    its_module_is_light,
    its_module_prints_nothing,
    its_distribution_needs_the_core,
)
