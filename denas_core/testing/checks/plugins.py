"""What a plugin as a whole promises: it loads, is light, names its components well, and is packaged soundly."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
from typing import TYPE_CHECKING

from denas_core import hookspecs
from denas_core.testing.check import CheckSkipped, check, fail, must_succeed
from denas_core.testing.samples.difference import brief

from .processes import loaded_by

if TYPE_CHECKING:
    from denas_core.registry.loading import Plugin
    from denas_core.registry.registry import Registry

HEAVY = {
    *("torch", "numpy", "transformers", "pydantic", "sklearn", "scipy", "pandas"),
    *("PIL", "onnx", "ray", "optuna"),
}
"""Packages that would slow down ``denas --help`` if a plugin module imported them."""


@dataclasses.dataclass(frozen=True)
class Installed:
    """A plugin as it is installed here."""

    plugin: Plugin
    registry: Registry

    def must_be_loaded(self) -> None:
        """Skip the check of a plugin that does not load."""
        if self.plugin.status != "ok":
            raise CheckSkipped("it does not load")

    def module(self) -> str:
        """Return the module that the plugin's entry point names."""
        from denas_core.registry.loading import GROUP

        for point in importlib.metadata.entry_points(group=GROUP):
            if point.name == self.plugin.name:
                return point.module
        raise CheckSkipped("no entry point names it")


@check
def it_loads(installed: Installed) -> None:
    """It loads: its module imports and its hooks return components."""
    plugin, advice = installed.plugin, "'denas doctor' says how to fix it"
    if plugin.status == "broken":
        advice = f'python -c "import {installed.module()}" shows where, if its import fails'
        if "unknown hook" in plugin.reason:
            advice = f"the hooks are {', '.join(name for name in vars(hookspecs) if name[:6] == 'denas_')}"
    if plugin.status != "ok":
        fail(f"its status is {plugin.status}: {plugin.reason}; {advice}")


@check
def it_provides_something(installed: Installed) -> None:
    """It provides at least one component, or a command."""
    installed.must_be_loaded()
    if not any(installed.plugin.components.values()) and installed.plugin.add_commands is None:
        fail("none of its hooks returns a component; mark functions such as denas_scores() with @hookimpl")


@check
def its_components_import(installed: Installed) -> None:
    """Every component that it names imports, is complete, and can be made."""
    installed.must_be_loaded()
    for kind, names in installed.plugin.components.items():
        for id in (f"{installed.plugin.name}/{name}" for name in names):
            with must_succeed(f"importing {id}", "name a class of that kind as 'package.module:Class'"):
                installed.registry.load(kind, id)
            with must_succeed(f"making {id}", "it must be made without any option"):
                installed.registry.create(kind, id)


@check
def its_names_are_lower_case(installed: Installed) -> None:
    """Its name and those of its components are lower-case words with hyphens, as ids are typed."""
    names = (name for names in installed.plugin.components.values() for name in names)
    for name in (installed.plugin.name, *names):
        if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) is None:
            fail(f"the name {name!r} is not made of lower-case letters and digits with hyphens; rename it")


@check
def its_module_is_light(installed: Installed) -> None:
    """Importing its module loads no heavy library and prints nothing, since every command imports it."""
    installed.must_be_loaded()
    found = loaded_by(installed.module())
    if heavy := sorted({name.partition(".")[0] for name in found["loaded"]} & HEAVY):
        fail(f"importing {installed.module()} loads {', '.join(heavy)}; name classes as 'module:Class'")
    if found["printed"]:
        fail(f"importing {installed.module()} prints {brief(found['printed'])}; remove it")


@check
def its_distribution_needs_the_core(installed: Installed) -> None:
    """Its distribution is installed with a version, and says that it needs denas-core."""
    name = installed.plugin.distribution
    with must_succeed(f"looking for the distribution {name!r}", "install the plugin with pip"):
        distribution = importlib.metadata.distribution(name)
    if not distribution.version:
        fail(f"{name} has no version; add one to its pyproject.toml")
    needed = {re.split(r"[\s<>=!~;\[(]", text, maxsplit=1)[0] for text in distribution.requires or ()}
    if "denas-core" not in {name, *(one.lower().replace("_", "-") for one in needed)}:
        fail(f'{name} does not need denas-core; add dependencies = ["denas-core"] to its pyproject.toml')
